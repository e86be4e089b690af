"""A whole photograph, decoded once: its tiles are cut out of it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.inference.decode import open_image
from worker.inference.jpeg import read_jpeg
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.orientation import is_turned_by_pillow, read_orientation, upright
from worker.inference.structure import Structure

CHANNELS = 3
# At a time out of Pillow's memory, whose pixels have four bytes: a second whole picture is never in memory.
ROWS = 128


def upright_pixels(
    data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS, structure: Structure | None = None
) -> NDArray[np.uint8]:
    """Decode every pixel of a file, and see them upright: uint8, (height, width, 3), RGB.

    The EXIF orientation always counts, whatever a manifest says of whole photographs: a map that only fits the sideways
    pixels of a file helps nobody. The array may be a view that runs backwards. ``decode="scaled"`` of a manifest is
    about whole photographs, too: tiles are cut out of all pixels.

    Args:
        data: the whole file.
        limits: what the picture may cost.
        structure: of an ordinary picture that has been inspected already.

    Raises:
        ImageError: the picture cannot be decoded; the code says why.
    """
    with open_image(data, limits=limits, structure=structure) as image:
        turned = is_turned_by_pillow(image.format)
        pixels = read_jpeg(structure.essential if structure else data, image, image.size)
        if pixels is None:
            pixels = _out_of_pillow(image)
        return pixels if turned else upright(pixels, read_orientation(data))


def decoded_bytes(width: int, height: int) -> int:
    """Return the bytes of a decoded photograph."""
    return CHANNELS * width * height


def _out_of_pillow(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels in RGB, as ``decode.to_rgb`` converts them, in bands of rows."""
    image.load()  # Also turns a TIFF, and with it its size.
    width, height = image.size
    pixels = np.empty((height, width, CHANNELS), np.uint8)
    for top in range(0, height, ROWS):
        band = image.crop((0, top, width, min(top + ROWS, height)))
        pixels[top : top + ROWS] = np.asarray(band if band.mode == "RGB" else band.convert("RGB"))
    return pixels
