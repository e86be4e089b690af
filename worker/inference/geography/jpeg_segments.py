"""EXIF and XMP in the segments of a JPEG before its picture (ITU-T T.81, annex B; XMP specification, part 3, 1.1.3).

Real files also have, against the letter of these: fill and stray bytes between segments, bytes before or after
``Exif``, a second start of image, packets behind another header than Adobe's.
"""

import re
from collections.abc import Iterator

from worker.inference.geography.block import MAX_SEGMENTS, MAX_STRAY_BYTES, MAX_XMP_BYTES, XMP_BEGINS, Block, Kind

_APP1, _START_OF_SCAN, _END_OF_IMAGE = 0xE1, 0xDA, 0xD9
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RST0 to RST7, SOI
_MARKER = re.compile(rb"(?<=\xff)[^\x00\xff]")
_EXIF = re.compile(rb".{0,4}exif|II[*+]\0|MM\0[*+]", re.DOTALL | re.IGNORECASE)
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
# XMP specification, part 3, 1.1.3.1: header, GUID (32 bytes), length of the whole and offset of this piece (4 each).
_EXTENDED = re.compile(rb"http://ns\.adobe\.com/xmp/extension/\0(.{32}).{4}(.{4})", re.DOTALL)


def jpeg_blocks(data: bytes) -> Iterator[Block]:
    """Yield the blocks in their order, then the XMP that was too long for one segment."""
    extended: dict[bytes, list[tuple[int, bytes]]] = {}
    for content in _app1(data):
        if piece := _EXTENDED.match(content):
            offset = int.from_bytes(piece[2], "big")
            extended.setdefault(piece[1], []).append((offset, content[piece.end() :]))
        elif _EXIF.match(content):
            yield Block(Kind.EXIF, content)
        elif XMP_BEGINS.match(content):
            yield Block(Kind.XMP, content.removeprefix(_XMP_HEADER))
    for pieces in extended.values():
        yield Block(Kind.XMP, b"".join(content for _, content in sorted(pieces))[:MAX_XMP_BYTES])


def _app1(data: bytes) -> Iterator[bytes]:
    """Yield the contents of the APP1 segments before the picture."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        match = _MARKER.search(data, at + 1, at + MAX_STRAY_BYTES)
        if match is None or match[0][0] in {_START_OF_SCAN, _END_OF_IMAGE}:
            return
        marker, at = match[0][0], match.end()
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if marker == _APP1:
            yield data[at + 2 : at + length]
        at += length
