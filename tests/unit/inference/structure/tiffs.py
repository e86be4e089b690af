"""Small TIFFs made tag by tag."""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = Sequence[int] | bytes
Fields = Mapping[int, Values]


def directory(fields: Fields, at: int, following: int = 0) -> bytes:
    """A directory at ``at``, and behind it the values that it has no room for: LONGs, or bytes."""
    values = at + 2 + 12 * len(fields) + 4
    entries, behind = b"", b""
    for tag, numbers in sorted(fields.items()):
        raw = numbers if isinstance(numbers, bytes) else struct.pack(f"<{len(numbers)}I", *numbers)
        field, kind = raw if len(raw) <= 4 else struct.pack("<I", values + len(behind)), 1 if raw is numbers else 4
        behind += raw + bytes(len(raw) % 2) if len(raw) > 4 else b""
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + field.ljust(4, b"\0")
    return struct.pack("<H", len(fields)) + entries + struct.pack("<I", following) + behind


def tiff(
    fields: Fields, *, blocks: bytes = b"", below: Sequence[Fields] = (), following: Fields | None = None
) -> bytes:
    """A little-endian TIFF.

    Args:
        fields: of the first directory, by tag.
        blocks: pixels, from byte 8 on.
        below: directories that the first one points to (tag 330).
        following: the directory behind the first one.
    """
    first = 8 + len(blocks)
    fields = dict(fields) | ({330: (0,) * len(below)} if below else {})
    at = first + len(directory(fields, first))
    places, behind = [], b""
    for one in below:
        places.append(at + len(behind))
        behind += directory(one, places[-1])
    fields |= {330: places} if below else {}
    after = at + len(behind)
    behind += directory(following, after) if following else b""
    return b"II*\0" + struct.pack("<I", first) + blocks + directory(fields, first, after if following else 0) + behind


GREY: Fields = {256: (16,), 257: (4,), 258: (8,), 259: (1,), 262: (1,), 273: (8,), 277: (1,), 278: (4,), 279: (64,)}


def plain_tiff(**extra: Values) -> bytes:
    """Grey, 16 x 4, one strip; ``extra`` are tags by names as ``t254``."""
    return tiff({**GREY, **{int(tag[1:]): value for tag, value in extra.items()}}, blocks=bytes(range(64)))


def rgb_fields(pixels: NDArray[np.uint8]) -> Fields:
    """The tags of pixels in one strip: uint8, (height, width, 3)."""
    height, width, _ = pixels.shape
    sizes = {256: (width,), 257: (height,), 278: (height,), 279: (pixels.size,)}
    return {**sizes, 258: (8, 8, 8), 259: (1,), 262: (2,), 273: (8,), 277: (3,)}


def rgb_tiff(
    pixels: NDArray[np.uint8],
    extra: Fields | None = None,
    *,
    below: Sequence[Fields] = (),
    following: Fields | None = None,
) -> bytes:
    """Pixels (uint8, (height, width, 3)) as other programs than Pillow store them: before their directory."""
    fields = {**rgb_fields(pixels), **(extra or {})}
    return tiff(fields, blocks=pixels.tobytes(), below=below, following=following)
