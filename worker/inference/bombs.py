"""Small files that are a lot of work although their picture is small: what the pixel limit does not see.

Both were found with the corpus of broken images; each is refused by the header, before a pixel is decoded.
"""

import numpy as np
from PIL import Image, JpegImagePlugin, TiffImagePlugin

from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits

# 0xFF, 0xDA. Never within pixels: there 0xFF is followed by 0 (ITU-T T.81, F.1.2.3).
_START_OF_SCAN = int.from_bytes(b"\xff\xda", "little")


def check_work(data: bytes, image: Image.Image, limits: PictureLimits) -> None:
    """Refuse an opened picture that would take far more memory or time than its size says.

    Raises:
        ImageError: ``too_many_pixels`` or ``decode_failed``.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _check_tile(image, limits.pixels)
    if isinstance(image, JpegImagePlugin.JpegImageFile) and _scans(data) > limits.scans:
        detail = f"The picture comes in more than {limits.scans} scans; export it again."
        raise ImageError(ImageErrorCode.DECODE_FAILED, detail)


def _scans(data: bytes) -> int:
    """How many scans begin in a JPEG, at even and odd places; ``data.count`` takes eight times as long."""
    pairs = (np.frombuffer(data, "<u2", (len(data) - at) // 2, at) for at in (0, 1))
    return sum(int(np.count_nonzero(those == _START_OF_SCAN)) for those in pairs)


def _check_tile(image: TiffImagePlugin.TiffImageFile, max_pixels: int) -> None:
    """A tile is decoded whole, however little of it the picture shows (TIFF 6.0, section 15)."""
    width, height = (image.tag_v2.get(tag, 0) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH))
    if width * height > max_pixels:
        detail = f"The tiles of the picture are {width} x {height} pixels, more than the limit of {max_pixels}."
        raise ImageError(ImageErrorCode.TOO_MANY_PIXELS, f"{detail} Export it again.")
