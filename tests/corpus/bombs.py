"""Small files that ask for a lot of memory or time, each built byte by byte from its specification."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

SIDE = 20_000


def png_of(width: int, height: int) -> bytes:
    """Black rows of this size, compressed a thousandfold (ISO/IEC 15948, clause 11)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * width), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache  # a second of zlib
def tiff_with_tile(side: int) -> bytes:
    """A picture of 16 x 16 pixels whose only tile is far larger (TIFF 6.0, section 15), packed by Deflate."""
    packed = zlib.compressobj(9)
    tile = b"".join(packed.compress(bytes(side)) for _ in range(side)) + packed.flush()
    fields = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1)]
    fields += [(322, side), (323, side), (324, 8), (325, len(tile))]
    directory = struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in fields)
    return b"II*\x00" + struct.pack("<I", 8 + len(tile)) + tile + directory + bytes(4)


def jpeg_in_scans(side: int, scans: int) -> bytes:
    """A grey progressive JPEG whose scans say that nothing changes, a hundred bytes each (ITU-T T.81, annex G)."""

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    blocks = ((side + 7) // 8) ** 2
    one_code = bytes([1, *[0] * 15])
    # Every block: "0", the one code of the table for DC. A run of 16,384 blocks without AC: "0" and fourteen bits.
    steady = bytes((blocks + 7) // 8)
    runs = bytes((15 * -(-blocks // 16_384) + 7) // 8)
    head = segment(0xDB, bytes([0, *[1] * 64])) + segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    tables = segment(0xC4, b"\x00" + one_code + b"\x00") + segment(0xC4, b"\x10" + one_code + b"\xe0")
    first = segment(0xDA, b"\1\1\0\0\0\0") + steady
    more = segment(0xDA, b"\1\1\0\1\x3f\0") + runs
    return b"\xff\xd8" + head + tables + first + more * scans + b"\xff\xd9"


def jpeg_that_claims(side: int) -> bytes:
    """A small JPEG with another size in its header (ITU-T T.81, B.2.2)."""
    small = bytearray(saved("JPEG", (16, 16)))
    struct.pack_into(">HH", small, small.index(b"\xff\xc0") + 5, side, side)
    return bytes(small)


def webp_that_claims(side: int) -> bytes:
    """A small lossless WebP with another size in its header: two times 14 bits (RFC 9649, 3.4)."""
    small = bytearray(saved("WEBP", (16, 16), lossless=True))
    at = small.index(b"VP8L") + 9
    number = int.from_bytes(small[at : at + 4], "little")
    kept = number & ~0xFFFFFFF
    small[at : at + 4] = (kept | (side - 1) << 14 | (side - 1)).to_bytes(4, "little")
    return bytes(small)


def webp_of_one_colour() -> bytes:
    """A lossless WebP of 7,745 x 7,745 transparent pixels of one colour; its codes have no bits (RFC 9649, 6.2)."""
    bits = "2f401e9017075081540820000a1a02495bbced8f8f88e87f00"
    return bytes.fromhex(f"5249464626000000574542505650384c19000000{bits}00")


def saved(kind: str, size: tuple[int, int], **options: object) -> bytes:
    """A black picture."""
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, kind, **options)
    return stream.getvalue()


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG of 400 megapixels": lambda: png_of(SIDE, SIDE),
    "PNG of 2,000,000 x 1,000": lambda: png_of(2_000_000, 1_000),
    "TIFF with a tile of 400 megapixels": lambda: tiff_with_tile(SIDE),
    "JPEG in 2,000 scans": lambda: jpeg_in_scans(7000, 2000),
    "JPEG of 65,500 x 65,500": lambda: jpeg_that_claims(65_500),
    "WebP of 16,383 x 16,383": lambda: webp_that_claims(16_383),
}
