"""Finding the EXIF and XMP blocks of a file. Nothing is decoded, and every walk is bounded."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SEGMENTS = 512  # of a JPEG before its picture; thermal cameras write about a hundred
MAX_CHUNKS = 20_000  # of a PNG or WebP; 12 megapixels in pieces of 8 KB are 5,000
MAX_XMP_BYTES = 256 * 1024
_EXIF = b"Exif\0\0"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP = b"XML:com.adobe.xmp\0"
_APP1, _START_OF_SCAN, _END_OF_IMAGE = 0xE1, 0xDA, 0xD9
_PNG_HEADER = b"\x89PNG\r\n\x1a\n"
_TIFF_HEADERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that a file has. ``exif`` begins with a TIFF header; for a TIFF it is the whole file."""

    exif: bytes | None = None
    xmp: bytes | None = None


def find_blocks(data: bytes) -> Blocks:
    """The first EXIF and the first XMP block; what a truncated file still has of them."""
    if data.startswith(_TIFF_HEADERS):
        return Blocks(exif=data)  # Its XMP is a tag among the others.
    if data.startswith(b"\xff\xd8"):
        return _first_of(_jpeg(data))
    if data.startswith(_PNG_HEADER):
        return _first_of(_png(data))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _first_of(_webp(data))
    return Blocks()


def _first_of(found: Iterator[tuple[str, bytes]]) -> Blocks:
    blocks: dict[str, bytes] = {}
    for kind, block in found:
        blocks.setdefault(kind, block)
        if len(blocks) == 2:  # noqa: PLR2004  # both kinds
            break
    return Blocks(**blocks)


def _jpeg(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 2
    for _ in range(MAX_SEGMENTS):
        while data[at : at + 2] == b"\xff\xff":  # Fill bytes; ITU-T T.81, B.1.1.2.
            at += 1
        if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] in (_START_OF_SCAN, _END_OF_IMAGE):  # noqa: PLR2004  # a marker
            return
        end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if data[at + 1] == _APP1:
            if data.startswith(_EXIF, at + 4):
                yield "exif", data[at + 4 + len(_EXIF) : end]
            elif data.startswith(_JPEG_XMP, at + 4):
                yield "xmp", data[at + 4 + len(_JPEG_XMP) : end]
        at = end


def _png(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = len(_PNG_HEADER)
    for _ in range(MAX_CHUNKS):
        if len(data) < at + 8:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            yield "exif", data[at + 8 : at + 8 + size].removeprefix(_EXIF)
        elif kind == b"iTXt" and data.startswith(_PNG_XMP, at + 8):
            yield "xmp", _png_text(data[at + 8 + len(_PNG_XMP) : at + 8 + size])
        at += size + 12


def _png_text(chunk: bytes) -> bytes:
    """The text of an iTXt chunk behind its keyword: compressed or not, method, language, keyword, text."""
    *_, text = chunk[2:].split(b"\0", 2)
    if not chunk.startswith(b"\x01"):
        return text
    try:
        return zlib.decompressobj().decompress(text, MAX_XMP_BYTES)
    except zlib.error:
        return b""


def _webp(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 12
    for _ in range(MAX_CHUNKS):
        if len(data) < at + 8:
            return
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            yield "exif", data[at + 8 : at + 8 + size].removeprefix(_EXIF)
        elif kind == b"XMP ":
            yield "xmp", data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
