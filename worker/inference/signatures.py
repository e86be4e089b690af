"""The first bytes of files, to tell a damaged picture from a file that is not a picture."""

import re
from typing import Literal

_RIFF_HEADER = 12
_BIG_TIFF_HEADER = 16
_TAIL_BYTES = 1024
_TRAILER_BYTES = 64 * 1024  # What phones write behind the end of a JPEG is shorter.
_PNG_HEADER = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
_SUPPORTED = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|II\*\x00|MM\x00\*|II\+\x00|MM\x00\+|RIFF....WEBP|BM", re.DOTALL
)
RAW_FILE = "a raw file of a camera (export the photograph as JPEG)"
# Sniffed over the first bytes, in this order. The words end the sentence "The file is ...".
_OTHER = (
    (re.compile(rb"....ftyp(hei|hev|mif|msf)", re.DOTALL), "a HEIC picture (set the camera to JPEG)"),
    (re.compile(rb"....ftypavi", re.DOTALL), "an AVIF picture"),
    (
        re.compile(rb"....ftypcrx|FUJIFILMCCD-RAW|FOVb|II(RO|RS|U\x00)|MMOR|\x00MRM|II\x1a\x00...?HEAP", re.DOTALL),
        RAW_FILE,
    ),
    (re.compile(rb"....ftyp", re.DOTALL), "a video"),
    (re.compile(rb"\x00{3}\x0cjP  |\xff\x4f\xff\x51"), "a JPEG 2000 picture"),
    (re.compile(rb"\x00{3}\x0cJXL |\xff\x0a"), "a JPEG XL picture"),
    (re.compile(rb"II\xbc"), "a JPEG XR picture"),
    (re.compile(rb"8BPS"), "a Photoshop document"),
    (re.compile(rb"GIF8"), "a GIF"),
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive or an office document"),
    (re.compile(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype html|html|head)", re.IGNORECASE), "a web page, not a picture"),
    (re.compile(rb"\s*(\xef\xbb\xbf)?\s*<"), "an XML or SVG document"),
    (
        re.compile(rb"\x00\x05\x16[\x00\x07]"),
        "what a Mac notes beside a file (AppleDouble, by name ._x) and not the picture itself",
    ),
    (
        re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        "a store of thumbnails of Windows (Thumbs.db) or an old office document",
    ),
    (re.compile(rb"\x00*$", re.DOTALL), "nothing but zero bytes"),
)
_SNIFFED_BYTES = 512


def has_supported_signature(data: bytes) -> bool:
    """Return True if the file begins like one of the formats that are decoded."""
    return _SUPPORTED.match(data) is not None


def describe(data: bytes) -> str:
    """Describe a file of no supported format, to end the sentence "The file is ..."."""
    head = data[:_SNIFFED_BYTES]
    return next((words for pattern, words in _OTHER if pattern.match(head)), "not a picture that is known here")


def ends_early(data: bytes) -> bool:
    """Return True if a file lacks its end: a marker (JPEG, PNG), or bytes that its header announces."""
    if data.startswith(_JPEG_START):
        return _JPEG_END not in data[-_TAIL_BYTES:]
    if data.startswith(b"\x89PNG"):
        return not data.startswith(_PNG_HEADER) or b"IEND" not in data[-_TAIL_BYTES:]
    if data.startswith(b"RIFF"):
        return len(data) < _RIFF_HEADER or len(data) < _number(data[4:8], "little") + 8
    if data.startswith(b"BM"):
        return len(data) < _number(data[2:6], "little")
    if data.startswith((b"II", b"MM")):
        return _tiff_ends_early(data)
    return False


def _tiff_ends_early(data: bytes) -> bool:
    """Return True if the first directory, which may stand at the end of a TIFF, is cut off."""
    order: Literal["little", "big"] = "little" if data[0] == ord("I") else "big"
    if data[2:4] in {b"+\x00", b"\x00+"}:  # BigTIFF
        return len(data) < _BIG_TIFF_HEADER or len(data) < int.from_bytes(data[8:16], order) + 8
    return len(data) < _number(data[4:8], order) + 2


def is_zero_filled(data: bytes) -> bool:
    """Return True if a JPEG's end was never written: an interrupted copy into a file of full length.

    libjpeg decodes such a file without a complaint and paints the rest grey.
    """
    if not data.startswith(_JPEG_START) or data[-_TAIL_BYTES:].strip(b"\x00"):
        return False
    return _JPEG_END not in data.rstrip(b"\x00")[-_TRAILER_BYTES:]


def _number(field: bytes, order: Literal["little", "big"]) -> int:
    """Read four bytes as a number; the largest one if some of them are missing."""
    return int.from_bytes(field, order) if len(field) == 4 else 0xFFFFFFFF  # noqa: PLR2004  # 32 bits
