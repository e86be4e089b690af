"""A folder of synthetic pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deploy.local.synthetic.broken import BROKEN
from deploy.local.synthetic.exif import flight_exif
from deploy.local.synthetic.scene import Kind, render

Size = tuple[int, int]
DEFAULT_SIZE: Size = (1024, 768)
BROKEN_SIZE: Size = (480, 360)
SMALL_EDGES = (256, 1600)  # pixels; the longer edge of most pictures of a mixed set
TWELVE_MEGAPIXELS: Size = (4000, 3000)
TWENTY_MEGAPIXELS: Size = (5472, 3648)
PER_LARGE = 20  # One of so many pictures of a mixed set has 12 megapixels, and one of the set has 20.


@dataclass(frozen=True, slots=True)
class FileFormat:
    """Pillow's name and options of a format."""

    suffix: str
    name: str
    options: dict[str, int]


FORMATS = {
    "jpeg": FileFormat(".jpg", "JPEG", {"quality": 90}),
    "png": FileFormat(".png", "PNG", {"compress_level": 1}),
    "webp": FileFormat(".webp", "WEBP", {"quality": 85, "method": 0}),
    "tiff": FileFormat(".tif", "TIFF", {}),
}


def write_set(
    folder: Path,
    count: int,
    *,
    seed: int = 0,
    size: Size | None = None,
    broken: int = 0,
    image_format: str = "jpeg",
) -> list[Path]:
    """Write ``count`` synthetic pictures and ``broken`` other files; return their paths in flight order.

    Kinds take turns; the bytes of all pictures differ; the same arguments give the same bytes.

    Args:
        folder: made if missing.
        count: number of readable pictures.
        seed: of every random number.
        size: (width, height) in pixels of all; None mixes sizes from 256 pixels to 20 megapixels.
        broken: number of additional files: in turn a truncated JPEG and a web page named .jpg.
        image_format: a key of ``FORMATS``.

    Raises:
        ValueError: no such format, or a negative count.
    """
    if image_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}, got {image_format!r}")
    if count < 0 or broken < 0:
        raise ValueError("count and broken must not be negative")
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [size] * count if size else mixed_sizes(count, seed)
    pictures = [_write(folder, number, size_, seed, FORMATS[image_format]) for number, size_ in enumerate(sizes)]
    return pictures + [_write_broken(folder, number, seed) for number in range(broken)]


def mixed_sizes(count: int, seed: int) -> Sequence[Size]:
    """Choose realistic sizes: most small, one in twenty of 12 megapixels, one of 20 (from 20 pictures on)."""
    rng = np.random.default_rng([seed, count])
    sizes = [_small_size(rng) for _ in range(count)]
    large = rng.permutation(count)[: count // PER_LARGE + (count >= PER_LARGE)].tolist()
    for number in large:
        sizes[number] = TWELVE_MEGAPIXELS
    if large:
        sizes[large[0]] = TWENTY_MEGAPIXELS
    return sizes


def _small_size(rng: np.random.Generator) -> Size:
    longer = int(np.exp(rng.uniform(*np.log(SMALL_EDGES))))
    shorter = max(SMALL_EDGES[0], int(longer * rng.choice((1.0, 0.75, 2 / 3))))
    return (longer, shorter) if rng.random() < 0.7 else (shorter, longer)  # noqa: PLR2004  # most hold it flat


def _write(folder: Path, number: int, size: Size, seed: int, file_format: FileFormat) -> Path:
    kind = tuple(Kind)[number % len(Kind)]
    path = folder / f"synthetic_{number + 1:04d}_{kind}{file_format.suffix}"
    picture = render(kind, size, seed * 1_000_003 + number)
    picture.save(path, file_format.name, exif=flight_exif(number), **file_format.options)
    return path


def _write_broken(folder: Path, number: int, seed: int) -> Path:
    name, make = BROKEN[number % len(BROKEN)]
    path = folder / f"synthetic_broken_{number + 1:04d}_{name}.jpg"
    path.write_bytes(make(render(Kind.HEALTHY, BROKEN_SIZE, seed * 1_000_003 + number)))
    return path
