"""The result of an inspection."""

from dataclasses import dataclass

from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits


@dataclass(frozen=True, slots=True)
class Structure:
    """An ordinary picture.

    Attributes:
        essential: the parts of the file that its pixels need; decodes to the same pixels.
        memory_bytes: upper bound of the memory for decoding, ``essential`` included.
        size: width and height in pixels, as they are stored.
    """

    essential: bytes
    memory_bytes: int
    size: tuple[int, int]


def check_size(width: int, height: int, limits: PictureLimits) -> None:
    """Refuse a picture with too many pixels or too long a side.

    Raises:
        ImageError: ``too_many_pixels``.
    """
    if width * height > limits.pixels:
        detail = f"The picture is {width} x {height} pixels, more than the limit of {limits.pixels}; make it smaller."
        raise ImageError(ImageErrorCode.TOO_MANY_PIXELS, detail)
    if max(width, height) > limits.side:
        detail = f"The picture is {width} x {height} pixels; its longer side may have {limits.side}; cut it in pieces."
        raise ImageError(ImageErrorCode.TOO_MANY_PIXELS, detail)
