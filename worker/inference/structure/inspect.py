"""Inspection of a file by its signature."""

from collections.abc import Callable
from types import MappingProxyType

from worker.inference.limits import PictureLimits
from worker.inference.structure.jpeg import describe_jpeg, inspect_jpeg
from worker.inference.structure.png import inspect_png
from worker.inference.structure.structure import Structure
from worker.inference.structure.tiff import describe_tiff, inspect_tiff
from worker.inference.structure.webp import inspect_webp

_Inspection = Callable[[bytes, PictureLimits], Structure | None]
_BY_SIGNATURE: MappingProxyType[bytes, _Inspection] = MappingProxyType(
    {
        b"\xff\xd8\xff": inspect_jpeg,
        b"\x89PNG\r\n\x1a\n": inspect_png,
        b"II*\0": inspect_tiff,
        b"MM\0*": inspect_tiff,
        b"II+\0": inspect_tiff,
        b"MM\0+": inspect_tiff,
        b"RIFF": inspect_webp,
    }
)


def inspect(data: bytes, limits: PictureLimits) -> Structure | None:
    """Read the structure of a file; takes milliseconds for any file.

    Returns:
        None for everything that is not an ordinary JPEG, PNG or TIFF. A decoder may still read it, but only in a
        process with limits of its own.

    Raises:
        ImageError: ``too_many_pixels``, ``too_costly`` or ``unsupported_format``, by the structure alone.
    """
    for signature, inspection in _BY_SIGNATURE.items():
        if data.startswith(signature):
            return inspection(data, limits)
    return None


def describe_form(data: bytes, *, opened: bool) -> str | None:
    """Describe the form of a whole file that no decoder here reads; return None if the form is not the reason.

    Args:
        data: the whole file.
        opened: a decoder took the header for one that it reads.
    """
    if data.startswith(b"\xff\xd8"):
        return describe_jpeg(data)
    return describe_tiff(data, opened=opened)
