"""Width and height of a picture, read from the first bytes of its file without decoding it.

Orientation is not looked at: a photograph has as many tiles turned as upright.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Size = tuple[int, int]

MAX_SEGMENTS = 1000  # of a JPEG before its frame; cameras write twenty
MAX_ENTRIES = 4096  # of a TIFF's first directory
_HEAD = 32
# Start of frame: every marker of the range but those of tables, arithmetic coding and extensions (ITU-T T.81, B.1).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_FORMATS = {3: "H", 4: "I", 16: "Q"}


def picture_size(path: Path) -> Size | None:
    """Return width and height in pixels as the file stores them; None if it cannot be read, or is none of the formats.

    JPEG (ITU-T T.81), PNG (W3C), TIFF 6.0 and BigTIFF, WebP (RFC 9649), BMP: those that a server classifies.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            reader = next((read for magic, read in _READERS if head.startswith(magic)), None)
            size = None if reader is None else reader(stream, head)
    except (OSError, struct.error, ValueError, IndexError):
        return None
    return size if size is not None and min(size) > 0 else None


def _jpeg(stream: BinaryIO, _head: bytes) -> Size | None:
    stream.seek(2)
    for _ in range(MAX_SEGMENTS):
        marker = _next_marker(stream)
        if marker is None:
            return None
        if marker in _ALONE:
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        if marker in _FRAMES:
            _, height, width = struct.unpack(">BHH", stream.read(5))
            return width, height
        stream.seek(length - 2, 1)
    return None


def _next_marker(stream: BinaryIO) -> int | None:
    """Return the marker that stands here, behind its fill bytes; None: there is none."""
    if stream.read(1) != b"\xff":
        return None
    for _ in range(MAX_SEGMENTS):
        byte = stream.read(1)
        if byte != b"\xff":
            return byte[0] if byte else None
    return None


def _png(_stream: BinaryIO, head: bytes) -> Size:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _bmp(_stream: BinaryIO, head: bytes) -> Size:
    (header,) = struct.unpack_from("<I", head, 14)
    if header == 12:  # noqa: PLR2004  # BITMAPCOREHEADER, of OS/2
        width, height = struct.unpack_from("<HH", head, 18)
        return width, height
    wide, tall = struct.unpack_from("<ii", head, 18)
    return wide, abs(tall)  # A negative height: the first row is the top one.


def _webp(_stream: BinaryIO, head: bytes) -> Size | None:
    kind = head[12:16] if head[8:12] == b"WEBP" else b""
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(stream: BinaryIO, head: bytes) -> Size | None:
    order = "<" if head[:2] == b"II" else ">"
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    is_big = version == 43  # noqa: PLR2004  # BigTIFF
    count, entry = (f"{order}Q", f"{order}HHQ8s") if is_big else (f"{order}H", f"{order}HHI4s")
    (offset,) = struct.unpack_from(f"{order}Q", head, 8) if is_big else struct.unpack_from(f"{order}I", head, 4)
    stream.seek(offset)
    (entries,) = struct.unpack(count, stream.read(struct.calcsize(count)))
    found: dict[int, int] = {}
    for _ in range(min(entries, MAX_ENTRIES)):
        tag, kind, _, value = struct.unpack(entry, stream.read(struct.calcsize(entry)))
        if tag in {_TIFF_WIDTH, _TIFF_HEIGHT} and kind in _TIFF_FORMATS:
            (found[tag],) = struct.unpack_from(f"{order}{_TIFF_FORMATS[kind]}", value)
    if len(found) < len((_TIFF_WIDTH, _TIFF_HEIGHT)):
        return None
    return found[_TIFF_WIDTH], found[_TIFF_HEIGHT]


_READERS: tuple[tuple[bytes, Callable[[BinaryIO, bytes], Size | None]], ...] = (
    (b"\xff\xd8", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
    (b"II+\0", _tiff),
    (b"MM\0+", _tiff),
    (b"RIFF", _webp),
    (b"BM", _bmp),
)
