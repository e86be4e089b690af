"""PNG: the chunks that hold pixels (ISO/IEC 15948, clause 11)."""

import struct
from types import MappingProxyType

from worker.inference.limits import PictureLimits
from worker.inference.structure.structure import Structure, check_size

MAX_CHUNKS = 20_000  # 12 megapixels in pieces of 8 KB are 5,000
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_SIZE = 13
_MAX_PALETTE_BYTES = 3 * 256
_END = b"\0\0\0\0IEND\xaeB`\x82"
# Bytes of a pixel in Pillow, by bits of a sample and colour type, with its copy as RGB where it is converted.
_PIXEL_BYTES = MappingProxyType(
    {(bits, kind): 1 + 4 for kind in (0, 3) for bits in (1, 2, 4, 8)}
    | {(16, 0): 4 + 4, (8, 2): 4, (16, 2): 4}
    | {(bits, kind): 4 + 4 for kind in (4, 6) for bits in (8, 16)}
)


def inspect_png(data: bytes, limits: PictureLimits) -> Structure | None:
    """Find header, palette and the first run of pixel chunks, and join them into one file.

    The decoder asks Python for each chunk: millions of empty ones, or of text, would take minutes.

    Raises:
        ImageError: ``too_many_pixels``.
    """
    size, kind = _chunk(data, len(SIGNATURE))
    if kind != b"IHDR" or size != _HEADER_SIZE or len(data) < len(SIGNATURE) + _HEADER_SIZE + 12:
        return None
    width, height, bits, colour, compression, row_filter, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    check_size(width, height, limits)
    pixel = _PIXEL_BYTES.get((bits, colour))
    if not width or not height or pixel is None or compression or row_filter or interlace > 1:
        return None
    pieces = _pixel_chunks(data, len(SIGNATURE) + 12 + _HEADER_SIZE)
    if pieces is None:
        return None
    essential = b"".join([data[: len(SIGNATURE) + 12 + _HEADER_SIZE], *pieces])
    return Structure(essential, pixel * width * height + len(data), (width, height))


def _pixel_chunks(data: bytes, at: int) -> list[bytes] | None:
    """Return the palette, one chunk with all pixels, and the end; None if the file is unusual."""
    palette, pixels = b"", list[bytes]()
    for _ in range(MAX_CHUNKS):
        size, kind = _chunk(data, at)
        end = at + 8 + size
        if kind == b"IDAT":
            pixels.append(data[at + 8 : end])
        elif pixels:  # Only the first run of them belongs to the picture (11.2.4).
            break
        elif kind == b"PLTE":
            if palette or size > _MAX_PALETTE_BYTES:
                return None
            palette = data[at : end + 4]
        if not kind.isalpha() or end > len(data):
            break
        at = end + 4
    else:
        return None
    length = sum(map(len, pixels))
    if not length:
        return None
    # Decoders do not look at the checksum of pixels: zlib has one of its own.
    return [palette, struct.pack(">I4s", length, b"IDAT"), *pixels, bytes(4), _END]


def _chunk(data: bytes, at: int) -> tuple[int, bytes]:
    """Return size and kind of a chunk; the kind is empty behind the end of the file."""
    if len(data) < at + 8:
        return 0, b""
    size, kind = struct.unpack_from(">I4s", data, at)
    return size, kind
