"""The chunks of a PNG before and behind its pixels: programs write metadata to both places.

The pixels may come in thousands of chunks, so what stands behind them is looked for in the last bytes of the file: a
chunk begins where its name stands and its checksum is right (ISO/IEC 15948, clauses 5.3 and 5.5).
"""

import re
import zlib

from worker.inference.geography.png_chunks import PNG_HEADER
from worker.inference.sliced import Sliced

MAX_CHUNKS = 256  # before the pixels
TAIL_BYTES = 64 * 1024  # looked through behind the pixels
_METADATA = re.compile(b"eXIf|tEXt|zTXt|iTXt")
_PIXELS = b"IDAT"


def without_pixels(data: Sliced) -> bytes:
    """Return a PNG with the chunks of a file that stand before its pixels or, whole, in its last bytes."""
    end = _before_pixels(data)
    tail = data[max(end, len(data) - TAIL_BYTES) :]
    return data[:end] + tail[_first_chunk(tail) :]


def is_png(data: Sliced) -> bool:
    """Return True if a file begins as a PNG."""
    return data[: len(PNG_HEADER)] == PNG_HEADER


def _before_pixels(data: Sliced) -> int:
    at = len(PNG_HEADER)
    for _ in range(MAX_CHUNKS):
        header = data[at : at + 8]
        if len(header) < 8 or header[4:] == _PIXELS:  # noqa: PLR2004  # size and name
            break
        at = min(len(data), at + 12 + int.from_bytes(header[:4], "big"))
    return at


def _first_chunk(tail: bytes) -> int:
    for match in _METADATA.finditer(tail, 4):
        name = match.start()
        end = match.end() + int.from_bytes(tail[name - 4 : name], "big")
        if end + 4 <= len(tail) and zlib.crc32(tail[name:end]) == int.from_bytes(tail[end : end + 4], "big"):
            return name - 4
    return len(tail)
