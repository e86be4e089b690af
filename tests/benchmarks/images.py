"""Sets of images for benchmarks: real ones where they are, synthetic ones elsewhere."""

import io
from pathlib import Path

from PIL import Image

from deploy.local.synthetic import render

REAL = Path(__file__).parents[3] / "shared" / "data"
KINDS = ("healthy", "powdery_mildew", "rust")
FULL_SIZE = (4000, 2672)
SMALL = (256, 256)
# Edges in pixels. Those of "small" and "full" are real files as they are; the others are made from full-size ones.
SIZES = {"small": SMALL, "2mp": (1632, 1224), "full": FULL_SIZE, "12mp": (4000, 3000), "20mp": (5472, 3648)}
# Enough different pictures that no cache of the processor knows them all.
DIFFERENT = {"small": 60, "2mp": 10, "full": 10, "12mp": 10, "20mp": 10}
QUALITY = 90


def write_set(kind: str, folder: Path, count: int) -> str:
    """Write ``count`` files that all differ, by repeating pictures with other last bytes; say where they come from.

    What follows the end marker of a JPEG is not part of the picture (ITU-T T.81, B.1.1.3), so the work is the same,
    and the service does not take the files for duplicates.
    """
    pictures, origin = _pictures(kind)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        picture = pictures[number % len(pictures)]
        (folder / f"{kind}_{number:05d}.jpg").write_bytes(picture + number.to_bytes(4, "big"))
    size = sum(len(picture) for picture in pictures) / len(pictures)
    return f"{count} files of {len(pictures)} {origin}, {size / 1e6:.2f} MB on average"


def _pictures(kind: str) -> tuple[list[bytes], str]:
    folder = REAL / "leaves" / "apple-field" / "validation" if kind == "small" else REAL / "leaves-full-size"
    if not folder.is_dir():
        return [_jpeg(_drawn(kind, number)) for number in range(DIFFERENT[kind])], "synthetic pictures"
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})[: DIFFERENT[kind]]
    if kind in {"small", "full"}:
        return [file.read_bytes() for file in files], "real photographs"
    return [_jpeg(_resized(file, SIZES[kind])) for file in files], "real photographs in another size"


def _drawn(kind: str, number: int) -> Image.Image:
    return render(KINDS[number % len(KINDS)], SIZES[kind], seed=number)


def _resized(file: Path, size: tuple[int, int]) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB").resize(size, Image.Resampling.BICUBIC)


def _jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
