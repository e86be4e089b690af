"""The bytes of a map: one row of ``tile_maps``.

The first byte is the number of the format. Format 1 is that byte, then zlib (RFC 1950) of, little-endian:

    u32 width, height, edge; u16 columns, rows
    u32 left edges (columns), u32 top edges (rows), each as the difference to the one before
    u8 labels, u8 reasons, u16 confidences (columns x rows each, rows first)

The labels of a greenhouse bench are alike and shrink to a tenth; the confidences hardly shrink.
"""

import struct
import sys
import zlib
from array import array
from itertools import accumulate, pairwise

from shared.contracts.tiles import REVIEW_OF, SKIP_OF
from shared.errors import StoredMapInvalid
from shared.tiles.grid import Grid
from shared.tiles.tile_map import TileMap

FORMAT = 1
HEAD = struct.Struct("<IIIHH")
# No more is ever unpacked: a map of all 65,535 x 65,535 tiles that the head could name is none of ours.
MAX_BYTES = 4 * 1024 * 1024
REASONS = frozenset({0, *REVIEW_OF, *SKIP_OF})


def encode(answered: TileMap) -> bytes:
    """Write a map as bytes."""
    grid = answered.grid
    body = b"".join(
        (
            HEAD.pack(grid.width, grid.height, grid.edge, grid.columns, grid.rows),
            _words("I", [now - before for before, now in pairwise((0, *grid.x))]),
            _words("I", [now - before for before, now in pairwise((0, *grid.y))]),
            answered.labels,
            answered.reasons,
            _words("H", answered.confidences),
        )
    )
    return bytes([FORMAT]) + zlib.compress(body, 9)


def decode(stored: bytes) -> TileMap:
    """Read a map.

    Raises:
        StoredMapInvalid: a newer program wrote it, or it is damaged.
    """
    if not stored or stored[0] != FORMAT:
        raise StoredMapInvalid(f"a map of tiles has the format {stored[0] if stored else 'none'}, this program reads 1")
    try:
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(stored[1:], MAX_BYTES)
        width, height, edge, columns, rows = HEAD.unpack_from(body)
        x, at = _read("I", body, HEAD.size, columns)
        y, at = _read("I", body, at, rows)
        tiles = columns * rows
        labels, reasons = body[at : at + tiles], body[at + tiles : at + 2 * tiles]
        confidences, end = _read("H", body, at + 2 * tiles, tiles)
    except (zlib.error, struct.error, ValueError) as error:
        raise StoredMapInvalid(f"a map of tiles is damaged: {error}") from error
    if end != len(body) or not unpacking.eof:
        raise StoredMapInvalid(f"a map of tiles is damaged: {len(body)} bytes were unpacked, {end} expected")
    # Without its reason, a tile that asks for a person would count as sure.
    unknown = set(reasons) - REASONS
    if unknown:
        raise StoredMapInvalid(f"a newer program wrote a map of tiles with reasons of the numbers {sorted(unknown)}")
    return TileMap(Grid(width, height, edge, tuple(accumulate(x)), tuple(accumulate(y))), labels, confidences, reasons)


def _words(kind: str, values: "array[int] | list[int]") -> bytes:
    numbers = array(kind, values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _read(kind: str, body: bytes, at: int, count: int) -> "tuple[array[int], int]":
    numbers = array(kind)
    end = at + count * numbers.itemsize
    part = body[at:end]
    if len(part) != end - at:
        raise ValueError("it ends early")
    numbers.frombytes(part)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers, end
