"""EXIF and XMP in the chunks of a PNG (PNG specification, third edition, 11.3.3 and 11.3.8).

Before there was an ``eXIf`` chunk, ImageMagick and programs built on it wrote the block as text: ``Raw profile type``
and its kind as the keyword, then the kind again, the number of bytes, and the bytes in hexadecimal.
"""

import re
import zlib
from collections.abc import Iterator

from worker.inference.geography.block import MAX_CHUNKS, MAX_XMP_BYTES, XMP_BEGINS, Block, Kind
from worker.inference.sliced import Sliced

PNG_HEADER = b"\x89PNG\r\n\x1a\n"
_XMP = b"xml:com.adobe.xmp"
_PROFILES = frozenset({b"raw profile type exif", b"raw profile type app1", b"raw profile type xmp"})
_PROFILE_HEADER = re.compile(rb"\s{0,4}[a-zA-Z0-9]{1,16}\s{1,16}\d{1,10}\s")
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_LONGEST_KEYWORD = 80  # with the zero behind it
_KEYWORD = re.compile(rb"([^\0]{1,79})\0")


def png_blocks(data: Sliced) -> Iterator[Block]:
    """Yield the blocks in their order, before the picture or behind it."""
    at = len(PNG_HEADER)
    for _ in range(MAX_CHUNKS):
        header = data[at : at + 8]
        if len(header) < 8:  # noqa: PLR2004  # size and name
            return
        size, name = int.from_bytes(header[:4], "big"), header[4:]
        if name == b"eXIf":
            yield Block(Kind.EXIF, data[at + 8 : at + 8 + size])
        elif name in _TEXTS and (keyword := _KEYWORD.match(data[at + 8 : at + 8 + min(size, _LONGEST_KEYWORD)])):
            yield from _text_block(keyword[1].lower(), name, data[at + 8 + keyword.end() : at + 8 + size])
        at += size + 12


def _text_block(keyword: bytes, name: bytes, content: bytes) -> Iterator[Block]:
    if keyword == _XMP:
        yield Block(Kind.XMP, _text(name, content, MAX_XMP_BYTES))
    elif keyword in _PROFILES:
        profile = _profile(_text(name, content, 3 * MAX_XMP_BYTES))  # Two digits a byte, and the ends of lines.
        yield Block(Kind.XMP if XMP_BEGINS.match(profile) else Kind.EXIF, profile)


def _text(name: bytes, content: bytes, limit: int) -> bytes:
    """Return the text of a chunk behind its keyword, at most ``limit`` bytes; empty if it cannot be unpacked."""
    if name == b"tEXt":
        return content[:limit]
    if name == b"zTXt":
        return _unpacked(content[1:], limit)
    *_, text = content[2:].split(b"\0", 2)  # Compressed or not, method; language, translated keyword.
    return _unpacked(text, limit) if content.startswith(b"\x01") else text[:limit]


def _unpacked(packed: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, limit)
    except zlib.error:
        return b""


def _profile(text: bytes) -> bytes:
    header = _PROFILE_HEADER.match(text)
    digits = b"".join(text[header.end() if header else 0 :].split())
    try:
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
    except ValueError:
        return b""
