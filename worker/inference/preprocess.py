"""Encoded bytes to the float32 input of a model, as its manifest says. Training and serving both run this.

With ``decode=full, resize=nearest, exif_orientation=False`` the pixels are those of ``keras.utils.load_img`` to the
bit; with another filter those of ``load_img(interpolation=...)``.
"""

from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import Decode, Preprocessing, ResizeFilter
from worker.inference.decode import open_image, to_rgb
from worker.inference.jpeg import nearest, read_jpeg
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits

FILTERS = MappingProxyType(
    {
        ResizeFilter.NEAREST: Image.Resampling.NEAREST,
        ResizeFilter.BILINEAR: Image.Resampling.BILINEAR,
        ResizeFilter.BICUBIC: Image.Resampling.BICUBIC,
        ResizeFilter.LANCZOS: Image.Resampling.LANCZOS,
    }
)
# EXIF 2.32, tag 0x0112: what has to be done to see the picture upright. The same table as in PIL.ImageOps.
_ORIENTATION_TAG = 0x0112
_TO_UPRIGHT = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
_SWAPS_EDGES = frozenset({5, 6, 7, 8})


def preprocess(
    data: bytes,
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    *,
    limits: PictureLimits = DEFAULT_LIMITS,
) -> NDArray[np.float32]:
    """Encoded bytes to ``(pixel - offset) * scale``: float32, (height, width, 3), RGB.

    Args:
        data: the whole file.
        preprocessing: the manifest's.
        input_size: (height, width) in pixels, the manifest's.
        limits: what the picture may cost.

    Raises:
        ImageError: the picture cannot be decoded; the code says why.
    """
    pixels = resized_pixels(data, preprocessing, input_size, limits=limits)
    return _value_table(preprocessing.scale, preprocessing.offset)[pixels]


def resized_pixels(
    data: bytes,
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    *,
    limits: PictureLimits = DEFAULT_LIMITS,
) -> NDArray[np.uint8]:
    """As ``preprocess``, before offset and scale: uint8, (height, width, 3), RGB.

    An EXIF orientation is applied after the resize, on the small picture: turning 12 megapixels costs as much as
    decoding them.
    """
    with open_image(data, limits=limits) as image:
        orientation = _orientation(image) if preprocessing.exif_orientation else 1
        size = input_size if orientation in _SWAPS_EDGES else input_size[::-1]
        pixels = _shrunk(data, image, preprocessing, size)
        if orientation in _TO_UPRIGHT:
            return np.asarray(Image.fromarray(pixels).transpose(_TO_UPRIGHT[orientation]))
        return pixels


def _shrunk(data: bytes, image: Image.Image, preprocessing: Preprocessing, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decoded and resized to ``size`` (width, height); the pixels are Pillow's, whoever decodes."""
    scaled, resize = preprocessing.decode is Decode.SCALED, preprocessing.resize
    full_size = image.size
    if scaled:
        image.draft(None, size)  # JPEG only: the smallest of 1/1 ... 1/8 that is not smaller than the input.
    # A large picture that a filter of Pillow's goes over would have to be copied into Pillow first.
    pixels = read_jpeg(data, image, full_size) if scaled or resize is ResizeFilter.NEAREST else None
    if pixels is not None and resize is ResizeFilter.NEAREST:
        return nearest(pixels, size)
    picture = to_rgb(image) if pixels is None else Image.fromarray(pixels)
    return np.asarray(picture.resize(size, FILTERS[resize]))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation 1 to 8; 1 where there is none, or where the EXIF block is damaged but the picture is not."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  # Pillow's EXIF parser raises a dozen kinds; metadata must not cost the picture.
        return 1
    return value if isinstance(value, int) else 1


@lru_cache(maxsize=16)
def _value_table(scale: float, offset: float) -> NDArray[np.float32]:
    """The 256 values that a pixel can become, computed in double precision and rounded once."""
    table = ((np.arange(256, dtype=np.float64) - offset) * scale).astype(np.float32)
    table.setflags(write=False)
    return table
