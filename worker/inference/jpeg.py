"""JPEG through libjpeg-turbo's own interface (simplejpeg): the pixels of Pillow to the bit, with a third less work.

Pillow's decoder hands pixels over in strips, pads them to four bytes, and copies them once more for numpy. Where a
picture only has to be shrunk by nearest neighbour, a handful of pixels of the decoder's own buffer is enough.

Both carry their own build of libjpeg-turbo, so a self-test compares them (``is_exact``). Pillow reads every JPEG that
is not ordinary, and every file about which the decoder has the slightest doubt: it says what is wrong.
"""

import io
from functools import lru_cache

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

FORMATS = frozenset({"JPEG", "MPO"})
MODES = frozenset({"RGB", "L"})  # YCbCr, RGB and greyscale of 8 bits; not CMYK.
# From here on the sizes that the eight scales of libjpeg-turbo give differ, so that a size names a scale.
MIN_EDGE = 8

Pixels = NDArray[np.uint8]


def read_jpeg(data: bytes, image: Image.Image, full_size: tuple[int, int]) -> Pixels | None:
    """Return the pixels of an opened picture, none of which have been read: uint8, (height, width, 3), RGB.

    Args:
        data: the whole file.
        image: Pillow's, opened from it; after ``image.draft`` its size is that of the scaled picture.
        full_size: (width, height) before ``draft``.

    Returns:
        None if Pillow has to read it.
    """
    ordinary = image.format in FORMATS and image.mode in MODES
    if not ordinary or not is_exact() or (image.size != full_size and max(full_size) < MIN_EDGE):
        return None
    try:
        pixels = _decode(data, None if image.size == full_size else image.size)
    except Exception:  # noqa: BLE001  # Pillow says what is wrong, or reads it in spite of that.
        return None
    return pixels if pixels.shape[1::-1] == image.size else None


def nearest(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize as ``Image.resize(size, NEAREST)`` does; ``size`` is (width, height)."""
    width, height = size
    rows = pixels.take(_steps(pixels.shape[0], height), axis=0)
    return rows.take(_steps(pixels.shape[1], width), axis=1)


def _steps(length: int, count: int) -> NDArray[np.intp]:
    """Return the pixels that nearest neighbour takes: as ImagingScaleAffine in Pillow's Geometry.c, by added steps."""
    steps = np.full(count, length / count)
    steps[0] /= 2
    return np.add.accumulate(steps).astype(np.intp)


def _decode(data: bytes, scaled: tuple[int, int] | None) -> Pixels:
    """Decode; raises ValueError also for warnings of libjpeg-turbo. ``scaled``: (width, height) of a smaller scale."""
    width, height = scaled or (0, 0)
    pixels: Pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width, strict=True)
    return pixels


@lru_cache(maxsize=1)
def is_exact() -> bool:
    """Return True if both libraries make the same pixels, of every kind of JPEG at every scale. Takes 50 ms, once."""
    return all(_agree(data, scale) for data in _samples() for scale in (1, 2, 4, 8))


def _agree(data: bytes, scale: int) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        full = image.size
        if scale > 1:
            image.draft(None, (full[0] // scale, full[1] // scale))
        size = image.size
        theirs = image.convert("RGB")
    try:
        ours = _decode(data, None if size == full else size)
    except ValueError:
        return False
    small = (37, 23)
    return np.array_equal(ours, np.asarray(theirs)) and np.array_equal(
        nearest(ours, small), np.asarray(theirs.resize(small, Image.Resampling.NEAREST))
    )


def _samples() -> list[bytes]:
    """Make small JPEGs with smooth and rough parts: each subsampling, baseline and progressive, and greyscale."""
    rng = np.random.default_rng(1)
    smooth = np.add.outer(np.arange(101), np.arange(163))[..., None] * (1, 2, 3)
    rough = rng.integers(0, 256, (101, 163, 3)) * (np.arange(163) > 80)[:, None]  # noqa: PLR2004  # its right half
    picture = Image.fromarray(((smooth + rough) % 256).astype(np.uint8))
    colours = [(picture, subsampling, progressive) for subsampling in (0, 1, 2) for progressive in (False, True)]
    return [_encoded(*sample) for sample in [*colours, (picture.convert("L"), 0, False)]]


def _encoded(picture: Image.Image, subsampling: int, progressive: bool) -> bytes:  # noqa: FBT001  # private
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85, subsampling=subsampling, progressive=progressive)
    return stream.getvalue()
