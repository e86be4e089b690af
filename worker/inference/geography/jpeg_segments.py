"""EXIF and XMP in the segments of a JPEG before its picture (ITU-T T.81, annex B; XMP specification, part 3, 1.1.3).

Real files also have, against the letter of these: fill and stray bytes between segments, bytes before or after
``Exif``, a second start of image, packets behind another header than Adobe's.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from worker.inference.geography.block import MAX_SEGMENTS, MAX_STRAY_BYTES, MAX_XMP_BYTES, XMP_BEGINS, Block, Kind
from worker.inference.sliced import Sliced

_APP1, _START_OF_SCAN, _END_OF_IMAGE = 0xE1, 0xDA, 0xD9
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RST0 to RST7, SOI
_TOLD_APART_BY = 128  # bytes of a segment; the rest of most of a thermal camera is never looked at
_USUAL_BYTES = 16  # with the next marker
_MARKER = re.compile(rb"(?<=\xff)[^\x00\xff]")
_EXIF = re.compile(rb".{0,4}exif|II[*+]\0|MM\0[*+]", re.DOTALL | re.IGNORECASE)
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
# XMP specification, part 3, 1.1.3.1: header, GUID (32 bytes), length of the whole and offset of this piece (4 each).
_EXTENDED = re.compile(rb"http://ns\.adobe\.com/xmp/extension/\0(.{32}).{4}(.{4})", re.DOTALL)


def jpeg_blocks(data: Sliced) -> Iterator[Block]:
    """Yield the blocks in their order, then the XMP that was too long for one segment."""
    extended: dict[bytes, list[tuple[int, bytes]]] = {}
    for at, end in ((one.at, one.end) for one in segments(data) if one.marker == _APP1):
        begin = data[at : min(end, at + _TOLD_APART_BY)]
        if piece := _EXTENDED.match(begin):
            offset = int.from_bytes(piece[2], "big")
            extended.setdefault(piece[1], []).append((offset, data[at + piece.end() : end]))
        elif _EXIF.match(begin):
            yield Block(Kind.EXIF, data[at:end])
        elif XMP_BEGINS.match(begin):
            yield Block(Kind.XMP, data[at:end].removeprefix(_XMP_HEADER))
    for pieces in extended.values():
        yield Block(Kind.XMP, b"".join(content for _, content in sorted(pieces))[:MAX_XMP_BYTES])


class Segment(NamedTuple):
    """A segment of a JPEG: its marker, and where its content begins and ends."""

    marker: int
    at: int
    end: int


def segments(data: Sliced) -> Iterator[Segment]:
    """Yield the segments before the picture."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        behind = _behind_marker(data, at)
        if behind is None:
            return
        header = data[behind - 1 : behind + 2]
        marker, at = header[0], behind
        if marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            return
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(header[1:], "big")
        yield Segment(marker, at + 2, at + length)
        at += length


def _behind_marker(data: Sliced, at: int) -> int | None:
    """Return the place behind the next marker; stray bytes, which few files have, are looked through in a second go."""
    for reach in (_USUAL_BYTES, MAX_STRAY_BYTES):
        match = _MARKER.search(data[at : at + reach], 1)
        if match is not None:
            return at + match.end()
    return None
