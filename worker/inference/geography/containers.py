"""Search for the EXIF and XMP blocks of a file: all of them, in their order. Nothing is decoded; each loop is bounded.

A file may have several of each kind: an editor adds a packet before that of the drone, a camera leaves its first EXIF
segment empty. Which of them counts is decided for each value, in ``metadata.py``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from worker.inference.geography.block import MAX_BLOCKS, MAX_CHUNKS, MAX_GARBAGE, MAX_XMP_BYTES, Block, Kind
from worker.inference.geography.jpeg_segments import jpeg_blocks
from worker.inference.geography.png_chunks import PNG_HEADER, png_blocks
from worker.inference.sliced import Sliced

_TIFF_HEADERS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LONGEST_HEADER = 12
_TIFF_HEADER = re.compile(b"|".join(map(re.escape, _TIFF_HEADERS)))
_WEBP_KINDS = {b"EXIF": Kind.EXIF, b"XMP ": Kind.XMP, b"XMP\0": Kind.XMP}


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a file in their order, at most ``MAX_BLOCKS`` of a kind.

    Each of ``exif`` begins with a TIFF header; for a TIFF it is the whole file. None of ``xmp`` has more than
    ``MAX_XMP_BYTES``.
    """

    exif: tuple[Sliced, ...] = ()
    xmp: tuple[bytes, ...] = ()


def find_blocks(data: Sliced) -> Blocks:
    """Find all EXIF and XMP blocks; of a truncated file those that are left."""
    begin = data[:_LONGEST_HEADER]
    if begin.startswith(_TIFF_HEADERS):
        return Blocks(exif=(data,))  # Its XMP is a tag among the others.
    for header, blocks_of in _CONTAINERS:
        if header.match(begin):
            blocks = list(islice(blocks_of(data), 2 * MAX_BLOCKS))
            return Blocks(
                exif=tuple(_exif([block.content for block in blocks if block.kind is Kind.EXIF])[:MAX_BLOCKS]),
                xmp=tuple([block.content[:MAX_XMP_BYTES] for block in blocks if block.kind is Kind.XMP][:MAX_BLOCKS]),
            )
    return Blocks()


def _exif(contents: list[bytes]) -> list[bytes]:
    """Cut each to begin at its TIFF header; one without a header (beyond 64 KB) continues the one before."""
    parts: list[list[bytes]] = []
    for content in contents:
        if header := _TIFF_HEADER.search(content, 0, MAX_GARBAGE):
            parts.append([content[header.start() :]])
        elif parts:
            parts[-1].append(content[len(b"Exif\0\0") :])
    return [b"".join(block) for block in parts]


def _webp_blocks(data: Sliced) -> Iterator[Block]:
    at = 12
    for _ in range(MAX_CHUNKS):
        header = data[at : at + 8]
        if len(header) < 8:  # noqa: PLR2004  # name and size
            return
        name, size = header[:4], int.from_bytes(header[4:], "little")
        if name in _WEBP_KINDS:
            yield Block(_WEBP_KINDS[name], data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2


_CONTAINERS: tuple[tuple[re.Pattern[bytes], Callable[[Sliced], Iterator[Block]]], ...] = (
    (re.compile(rb"\xff\xd8"), jpeg_blocks),
    (re.compile(re.escape(PNG_HEADER)), png_blocks),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _webp_blocks),
)
