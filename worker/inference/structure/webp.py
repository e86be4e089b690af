"""WebP: the size in its header (RFC 9649, sections 2.5 to 2.7, and RFC 6386, section 9.1)."""

from worker.inference.limits import PictureLimits
from worker.inference.sliced import Sliced
from worker.inference.structure.structure import Structure, check_size

_LONGEST_HEADER = 30
_SIDE_BITS = 14
_SIDE = (1 << _SIDE_BITS) - 1
_LOSSY_START, _LOSSLESS_START = b"\x9d\x01\x2a", b"\x2f"


def inspect_webp(data: bytes, limits: PictureLimits) -> Structure | None:
    """Check the size; a WebP is never ordinary, because nothing bounds the memory of its decoder.

    Raises:
        ImageError: ``too_many_pixels``.
    """
    check_size(*webp_size(data), limits)
    return None


def webp_size(data: Sliced) -> tuple[int, int]:
    """Return width and height in the header; 0 if it is damaged or the file is not a WebP."""
    data = data[:_LONGEST_HEADER]
    if not data.startswith(b"RIFF") or len(data) < _LONGEST_HEADER:
        return 0, 0
    kind = data[12:16]
    if kind == b"VP8X":  # The canvas, each side less one.
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8 " and data[23:26] == _LOSSY_START:
        return int.from_bytes(data[26:28], "little") & _SIDE, int.from_bytes(data[28:30], "little") & _SIDE
    if kind == b"VP8L" and data[20:21] == _LOSSLESS_START:
        sides = int.from_bytes(data[21:25], "little")
        return 1 + (sides & _SIDE), 1 + (sides >> _SIDE_BITS & _SIDE)
    return 0, 0
