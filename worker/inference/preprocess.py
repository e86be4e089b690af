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
from worker.inference.orientation import UPRIGHT, is_turned_by_pillow, read_orientation
from worker.inference.structure import Structure

FILTERS = MappingProxyType(
    {
        ResizeFilter.NEAREST: Image.Resampling.NEAREST,
        ResizeFilter.BILINEAR: Image.Resampling.BILINEAR,
        ResizeFilter.BICUBIC: Image.Resampling.BICUBIC,
        ResizeFilter.LANCZOS: Image.Resampling.LANCZOS,
    }
)
# By EXIF orientation: what has to be done to see the picture upright. The same table as in PIL.ImageOps.
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
    structure: Structure | None = None,
) -> NDArray[np.float32]:
    """Convert encoded bytes to ``(pixel - offset) * scale``: float32, (height, width, 3), RGB.

    Args:
        data: the whole file.
        preprocessing: the manifest's.
        input_size: (height, width) in pixels, the manifest's.
        limits: what the picture may cost.
        structure: of an ordinary picture that has been inspected already.

    Raises:
        ImageError: the picture cannot be decoded; the code says why.
    """
    return scaled_values(
        resized_pixels(data, preprocessing, input_size, limits=limits, structure=structure), preprocessing
    )


def scaled_values(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Convert pixels of 0 to 255 to ``(pixel - offset) * scale``: float32, same shape."""
    return _value_table(preprocessing.scale, preprocessing.offset)[pixels]


def resized_pixels(
    data: bytes,
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    *,
    limits: PictureLimits = DEFAULT_LIMITS,
    structure: Structure | None = None,
) -> NDArray[np.uint8]:
    """Decode, resize and turn, as ``preprocess`` does before offset and scale: uint8, (height, width, 3), RGB.

    An EXIF orientation is applied after the resize, on the small picture: turning 12 megapixels costs as much as
    decoding them. Pillow turns a TIFF by itself while it decodes (its tag 274 belongs to the pixels: TIFF 6.0, section
    8), also if the manifest says that the orientation is ignored, as ``keras.utils.load_img`` does.
    """
    with open_image(data, limits=limits, structure=structure) as image:
        turns = preprocessing.exif_orientation and not is_turned_by_pillow(image.format)
        orientation = read_orientation(data) if turns else UPRIGHT
        size = input_size if orientation in _SWAPS_EDGES else input_size[::-1]
        encoded = structure.essential if structure else data
        pixels = _shrunk(encoded, image, preprocessing, size)
        if orientation in _TO_UPRIGHT:
            return np.asarray(Image.fromarray(pixels).transpose(_TO_UPRIGHT[orientation]))
        return pixels


def _shrunk(data: bytes, image: Image.Image, preprocessing: Preprocessing, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode and resize to ``size`` (width, height); the pixels are those of Pillow with either decoder."""
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


@lru_cache(maxsize=16)
def _value_table(scale: float, offset: float) -> NDArray[np.float32]:
    """Return the 256 values that a pixel can become, computed in double precision and rounded once."""
    table = ((np.arange(256, dtype=np.float64) - offset) * scale).astype(np.float32)
    table.setflags(write=False)
    return table
