"""The tags that say where and when, out of an EXIF block (TIFF 6.0 and EXIF 2.32); everything else is passed over.

MakerNotes, thumbnails and tags of millions of values cost nothing: only the entries of three directories are looked
at, and of a wanted one at most ``MAX_VALUES`` values.
"""

import struct
from dataclasses import dataclass, field
from types import MappingProxyType

MAX_ENTRIES = 1024  # of a directory; cameras write fewer than a hundred
MAX_VALUES = 8  # of a tag that holds numbers; a position has three
MAX_TEXT = 128  # bytes of a tag that holds text
XMP_TAG = 0x02BC
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_ASCII = 2
_NUMBERS = MappingProxyType(
    {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q"}
)
_FRACTIONS = MappingProxyType({5: "II", 10: "ii"})
_SIZES = MappingProxyType(
    {kind: struct.calcsize("=" + code) for kind, code in (_NUMBERS | _FRACTIONS).items()} | {_ASCII: 1}
)

Number = int | float | None
"""None is a fraction of 0/0, which is how cameras write that they do not know; n/0 is infinite."""
Value = str | tuple[Number, ...]


class _Damaged(Exception):
    """The block ends before what it speaks of, or is none."""


@dataclass(frozen=True, slots=True)
class Exif:
    """Tags by number. ``gps`` is None where the file points to no GPS directory at all."""

    photo: dict[int, Value] = field(default_factory=dict)
    gps: dict[int, Value] | None = None
    # Where a GPS directory is pointed to, and is not there: the file was cut off or badly edited.
    gps_lost: bool = False
    xmp: bytes | None = None

    @property
    def is_bare(self) -> bool:
        """Whether it has nothing but what every TIFF says of its own picture."""
        return not (self.photo or self.gps or self.gps_lost or self.xmp)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a directory is written: byte order, its number of entries, an entry, the room for a value in it."""

    order: str
    count: str
    entry: str
    room: int


_CLASSIC, _BIG = (("H", "HHI4s", 4), ("Q", "HHQ8s", 8))


def read_exif(block: bytes, *, max_xmp_bytes: int) -> Exif | None:
    """What the block says; None where it is no EXIF block. What lies behind a cut is missing, and no error."""
    try:
        form, first = _header(block)
        main = _entries(block, form, first)
    except _Damaged:
        return None
    photo, gps = _below(block, form, main, _EXIF_IFD), _below(block, form, main, _GPS_IFD)
    return Exif(
        photo=_values(block, form, photo or {}),
        gps=None if gps is None else _values(block, form, gps),
        gps_lost=gps is None and _GPS_IFD in main,
        xmp=_bytes(block, form, main.get(XMP_TAG), max_xmp_bytes),
    )


_Entry = tuple[int, int, bytes]  # type, count, and the value or where it stands
_Entries = dict[int, _Entry]


def _header(block: bytes) -> tuple[_Form, int]:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        raise _Damaged
    (magic,) = _unpack(order + "H", block, 2)
    if magic == 42:  # noqa: PLR2004  # TIFF 6.0
        return _Form(order, *_CLASSIC), int(_unpack(order + "I", block, 4)[0])
    if magic == 43:  # noqa: PLR2004  # BigTIFF
        return _Form(order, *_BIG), int(_unpack(order + "Q", block, 8)[0])
    raise _Damaged


def _entries(block: bytes, form: _Form, at: int) -> _Entries:
    """The entries of a directory; those behind the end of the block are left out."""
    (count,) = _unpack(form.order + form.count, block, at)
    at += struct.calcsize("=" + form.count)
    size = struct.calcsize("=" + form.entry)
    readable = min(count, MAX_ENTRIES, (len(block) - at) // size)
    found = struct.iter_unpack(form.order + form.entry, block[at : at + readable * size])
    return {tag: (kind, number, value) for tag, kind, number, value in found}


def _below(block: bytes, form: _Form, entries: _Entries, tag: int) -> _Entries | None:
    """The directory that an entry points to; None where there is none."""
    pointer = _value(block, form, entries[tag]) if tag in entries else None
    if not isinstance(pointer, tuple) or not pointer or not isinstance(pointer[0], int):
        return None
    try:
        return _entries(block, form, pointer[0])
    except _Damaged:
        return None


def _values(block: bytes, form: _Form, entries: _Entries) -> dict[int, Value]:
    found = ((tag, _value(block, form, entry)) for tag, entry in entries.items() if tag in WANTED)
    return {tag: value for tag, value in found if value is not None}


def _value(block: bytes, form: _Form, entry: _Entry) -> Value | None:
    """Text, or numbers; None where the type is another, or the value lies outside of the block."""
    kind, count, _ = entry
    limit = MAX_TEXT if kind == _ASCII else MAX_VALUES * _SIZES.get(kind, 0)
    raw = _bytes(block, form, entry, limit)
    if not raw or not count:
        return None
    if kind == _ASCII:
        return raw.split(b"\0", 1)[0].decode("ascii", "replace").strip()
    if kind in _FRACTIONS:
        pairs = struct.iter_unpack(form.order + _FRACTIONS[kind], raw)
        return tuple(_fraction(top, bottom) for top, bottom in pairs)
    if kind in _NUMBERS:
        return tuple(number for (number,) in struct.iter_unpack(form.order + _NUMBERS[kind], raw))
    return None


def _fraction(top: int, bottom: int) -> Number:
    if bottom:
        return top / bottom
    return float("inf") if top else None


def _bytes(block: bytes, form: _Form, entry: _Entry | None, limit: int) -> bytes | None:
    """The bytes of a value, at most ``limit`` of them; None where they are not all there."""
    if entry is None or entry[0] not in _SIZES:
        return None
    kind, count, value = entry
    size = min(count * _SIZES[kind], limit)
    if count * _SIZES[kind] <= form.room:
        return value[:size]
    (at,) = struct.unpack(form.order + ("I" if form.room == 4 else "Q"), value)  # noqa: PLR2004  # 32 bits
    return block[at : at + size] if at + size <= len(block) else None


def _unpack(code: str, block: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(code) > len(block):
        raise _Damaged
    return struct.unpack_from(code, block, at)


# EXIF 2.32, tables 4, 7 and 15. The numbers of the GPS directory are small and collide with nothing of the others.
DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL, SUBSEC_TIME_ORIGINAL = 0x9003, 0x9011, 0x9291
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE = 1, 2, 3, 4
ALTITUDE_REF, ALTITUDE, TIME_STAMP, STATUS, DIRECTION_REF, DIRECTION, DATE_STAMP = 5, 6, 7, 9, 16, 17, 29
WANTED = frozenset(
    {
        DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL, SUBSEC_TIME_ORIGINAL,
        LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE,
        ALTITUDE_REF, ALTITUDE, TIME_STAMP, STATUS, DIRECTION_REF, DIRECTION, DATE_STAMP,
    }
)  # fmt: skip
