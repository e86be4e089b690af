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
from shared.contracts.pose import SWAPS_EDGES
from worker.inference.decode import open_image, to_rgb
from worker.inference.jpeg import nearest, read_jpeg
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.orientation import UPRIGHT, is_turned_by_pillow, read_orientation, upright
from worker.inference.structure import Structure

_TIFF = (b"II*\x00", b"MM\x00*")
FILTERS = MappingProxyType(
    {
        ResizeFilter.NEAREST: Image.Resampling.NEAREST,
        ResizeFilter.BILINEAR: Image.Resampling.BILINEAR,
        ResizeFilter.BICUBIC: Image.Resampling.BICUBIC,
        ResizeFilter.LANCZOS: Image.Resampling.LANCZOS,
    }
)


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
    return _value_table(preprocessing.scale, preprocessing.offset).take(pixels)


def scale_into(target: NDArray[np.float32], pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> None:
    """Write ``scaled_values`` of pixels into a part of a batch: a tenth of the work, as no memory is asked for."""
    scale, offset = preprocessing.scale, preprocessing.offset
    if _is_exact(scale, offset):
        np.subtract(pixels, np.float32(offset), out=target, dtype=np.float32)
        np.multiply(target, np.float32(scale), out=target)
    else:
        _value_table(scale, offset).take(pixels, out=target, mode="clip")


def resized_pixels(
    data: bytes,
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    *,
    limits: PictureLimits = DEFAULT_LIMITS,
    structure: Structure | None = None,
) -> NDArray[np.uint8]:
    """Decode, resize and turn, as ``preprocess`` does before offset and scale: uint8, (height, width, 3), RGB.

    An EXIF orientation is applied after the resize, on the small picture. Pillow turns a TIFF by itself while it
    decodes (its tag 274 belongs to the pixels: TIFF 6.0, section 8), also if the manifest says that the orientation is
    ignored, as ``keras.utils.load_img`` does.
    """
    with open_image(data, limits=limits, structure=structure) as image:
        turns = preprocessing.exif_orientation and not is_turned_by_pillow(image.format)
        orientation = read_orientation(data) if turns else UPRIGHT
        size = input_size if orientation in SWAPS_EDGES else input_size[::-1]
        encoded = structure.essential if structure else data
        return np.ascontiguousarray(upright(_shrunk(encoded, image, preprocessing, size), orientation))


def turn_left(data: bytes, preprocessing: Preprocessing) -> int:
    """Return the EXIF orientation that ``resized_pixels`` has not applied: what is still to be done to see it upright.

    Args:
        data: the whole file.
        preprocessing: the manifest's.
    """
    is_upright = preprocessing.exif_orientation or data.startswith(_TIFF)
    return UPRIGHT if is_upright else read_orientation(data)


def resized(pixels: NDArray[np.uint8], size: tuple[int, int], resize: ResizeFilter) -> NDArray[np.uint8]:
    """Resize pixels (height, width, 3) to ``size`` (width, height); as Pillow, which leaves them alone if they have it.

    Photographs and tiles come through here, so that a tile gives the answer of a photograph of its pixels.
    """
    if pixels.shape[1::-1] == size:
        return pixels
    if resize is ResizeFilter.NEAREST:
        return nearest(pixels, size)
    return np.asarray(Image.fromarray(pixels).resize(size, FILTERS[resize]))


def _shrunk(data: bytes, image: Image.Image, preprocessing: Preprocessing, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode and resize to ``size`` (width, height); the pixels are those of Pillow with either decoder."""
    scaled, resize = preprocessing.decode is Decode.SCALED, preprocessing.resize
    full_size = image.size
    if scaled:
        image.draft(None, size)  # JPEG only: the smallest of 1/1 ... 1/8 that is not smaller than the input.
    # A large picture that a filter of Pillow's goes over would have to be copied into Pillow first.
    pixels = read_jpeg(data, image, full_size) if scaled or resize is ResizeFilter.NEAREST else None
    if pixels is None:
        return np.asarray(to_rgb(image).resize(size, FILTERS[resize]))
    return resized(pixels, size, resize)


@lru_cache(maxsize=16)
def _value_table(scale: float, offset: float) -> NDArray[np.float32]:
    """Return the 256 values that a pixel can become, computed in double precision and rounded once."""
    table = ((np.arange(256, dtype=np.float64) - offset) * scale).astype(np.float32)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=16)
def _is_exact(scale: float, offset: float) -> bool:
    """Return True if single precision gives the values of the table, too; with powers of two it does."""
    values = (np.arange(256, dtype=np.float32) - np.float32(offset)) * np.float32(scale)
    return bool(np.array_equal(values, _value_table(scale, offset)))
