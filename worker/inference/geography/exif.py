"""The tags of place and time in an EXIF block (TIFF 6.0 and EXIF 2.32); everything else is passed over.

All directories are read, however they hang together, at most ``MAX_DIRECTORIES``: editors put the pointer to the GPS
directory below another one, or a second directory behind the first. MakerNotes, thumbnails and tags of millions of
values cost nothing: of each tag at most ``MAX_VALUES`` values are read.
"""

import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType

from worker.inference.geography.block import MAX_XMP_BYTES
from worker.inference.sliced import Sliced, unpack_at

MAX_DIRECTORIES = 16  # of a block; a photograph has five
MAX_ENTRIES = 1024  # of a directory; cameras write fewer than a hundred
MAX_VALUES = 8  # of a tag that holds numbers; a position has three
MAX_TEXT = 128  # bytes of a tag that holds text
XMP_TAG = 0x02BC
_MAIN, _EXIF_IFD, _GPS_IFD, _SUB_IFDS = 0, 0x8769, 0x8825, 0x014A
_POINTERS = (_EXIF_IFD, _GPS_IFD, _SUB_IFDS)
_ASCII, _RATIONAL, _SIGNED_RATIONAL = 2, 5, 10
_NUMBERS = MappingProxyType(
    {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q"}
)
_FRACTIONS = MappingProxyType({_RATIONAL: "II", _SIGNED_RATIONAL: "ii"})
_SIZES = MappingProxyType(
    {kind: struct.calcsize("=" + code) for kind, code in (_NUMBERS | _FRACTIONS).items()} | {_ASCII: 1}
)

Number = int | float | None
"""None is a fraction of 0/0, which is how cameras write that they do not know; n/0 is infinite."""
Value = str | tuple[Number, ...]


class _Damaged(Exception):
    """The block ends too early, or is not an EXIF block."""


Tags = Mapping[int, Value]


@dataclass(slots=True)
class Exif:
    """Tags by number: one mapping for each directory with tags, in the order of the block.

    Attributes:
        photos: directories of the picture: when it was taken.
        cameras: directories of the picture: by which camera and lens.
        gps: directories of the receiver; a directory without values is an empty mapping.
        gps_lost: the block points to a GPS directory that is missing: the file was cut off or badly edited.
        xmp: packets in tag 700, which editors put into any of the directories.
    """

    photos: list[Tags] = field(default_factory=list)
    cameras: list[Tags] = field(default_factory=list)
    gps: list[Tags] = field(default_factory=list)
    gps_lost: bool = False
    xmp: list[bytes] = field(default_factory=list)

    @property
    def is_bare(self) -> bool:
        """True if it holds only what every TIFF says of its own picture."""
        return not (self.photos or self.gps or self.gps_lost or self.xmp)


@dataclass(frozen=True, slots=True)
class _Form:
    """The layout of a directory: byte order, its number of entries, an entry, the room for a value in it."""

    order: str
    count: str
    entry: str
    room: int


_CLASSIC, _BIG = (("H", "HHI4s", 4), ("Q", "HHQ8s", 8))
_OFFSETS = MappingProxyType({4: "I", 8: "Q"})  # by the room for one


def read_exif(block: Sliced) -> Exif | None:
    """Read a block; return None if it is not EXIF. A block that was cut off yields the tags before the cut."""
    try:
        form, first = _header(block)
        _directory(block, form, first)
    except _Damaged:
        return None
    exif = Exif()
    ahead, visited = deque([(_MAIN, first)]), set[tuple[int, int]]()
    while ahead and len(visited) < MAX_DIRECTORIES:
        kind, at = directory = ahead.popleft()
        if directory not in visited:
            visited.add(directory)
            ahead.extend(_read_directory(block, form, kind, at, exif))
    return exif


def _read_directory(block: Sliced, form: "_Form", kind: int, at: int, exif: Exif) -> list[tuple[int, int]]:
    """Add the tags of a directory to ``exif``; return the kinds and places of those that it points to."""
    try:
        entries, behind = _directory(block, form, at)
    except _Damaged:
        exif.gps_lost |= kind == _GPS_IFD
        return []
    if packet := _bytes(block, form, entries.get(XMP_TAG), MAX_XMP_BYTES):
        exif.xmp.append(packet)
    if kind == _GPS_IFD:
        exif.gps.append(_values(block, form, entries, GPS_TAGS))
        return []
    if photo := _values(block, form, entries, PHOTO_TAGS):
        exif.photos.append(photo)
    if camera := _values(block, form, entries, CAMERA_TAGS):
        exif.cameras.append(camera)
    pointers = [(tag, place) for tag in _POINTERS if tag in entries for place in _places(block, form, entries[tag])]
    exif.gps_lost |= _GPS_IFD in entries and all(tag != _GPS_IFD for tag, _ in pointers)
    return [*pointers, (_MAIN, behind)] if behind else pointers


_Entry = tuple[int, int, bytes]  # type, count, and the value or where it stands
_Entries = dict[int, _Entry]


def only_number(value: Value | None) -> float | None:
    """Return the value of a tag that holds exactly one finite number, else None."""
    if not isinstance(value, tuple) or value[0] is None or not isfinite(value[0]):
        return None
    return float(value[0])


def _header(block: Sliced) -> tuple[_Form, int]:
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        raise _Damaged
    (magic,) = _unpack(order + "H", block, 2)
    if magic == 42:  # noqa: PLR2004  # TIFF 6.0
        return _Form(order, *_CLASSIC), int(_unpack(order + "I", block, 4)[0])
    if magic == 43:  # noqa: PLR2004  # BigTIFF
        return _Form(order, *_BIG), int(_unpack(order + "Q", block, 8)[0])
    raise _Damaged


def _directory(block: Sliced, form: _Form, at: int) -> tuple[_Entries, int]:
    """Read the entries of a directory up to the end of the block; and the place of the next one, or 0."""
    (count,) = _unpack(form.order + form.count, block, at)
    at += struct.calcsize("=" + form.count)
    size = struct.calcsize("=" + form.entry)
    readable = min(count, MAX_ENTRIES, (len(block) - at) // size)
    entries = struct.iter_unpack(form.order + form.entry, block[at : at + readable * size])
    end = at + count * size
    whole = count <= MAX_ENTRIES and end + form.room <= len(block)
    behind = _unpack(form.order + _OFFSETS[form.room], block, end)[0] if whole else 0
    return {tag: (kind, number, value) for tag, kind, number, value in entries}, behind


def _places(block: Sliced, form: _Form, entry: _Entry) -> list[int]:
    """Return the offsets of the directories that an entry points to."""
    value = _value(block, form, entry)
    return [at for at in value if isinstance(at, int)] if isinstance(value, tuple) else []


def _values(block: Sliced, form: _Form, entries: _Entries, tags: frozenset[int]) -> Tags:
    values = {tag: _value(block, form, entry) for tag, entry in entries.items() if tag in tags}
    if ALTITUDE in values and entries[ALTITUDE][0] == _RATIONAL:
        values[ALTITUDE_IF_SIGNED] = _value(block, form, (_SIGNED_RATIONAL, *entries[ALTITUDE][1:]))
    return {tag: value for tag, value in values.items() if value is not None}


def _value(block: Sliced, form: _Form, entry: _Entry) -> Value | None:
    """Read text or numbers; return None if the type is another, or the value lies outside of the block."""
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


def _bytes(block: Sliced, form: _Form, entry: _Entry | None, limit: int) -> bytes | None:
    """Return the bytes of a value, at most ``limit``; None if some of them are missing."""
    if entry is None or entry[0] not in _SIZES:
        return None
    kind, count, value = entry
    size = min(count * _SIZES[kind], limit)
    if count * _SIZES[kind] <= form.room:
        return value[:size]
    (at,) = struct.unpack(form.order + _OFFSETS[form.room], value)
    return block[at : at + size] if at + size <= len(block) else None


def _unpack(code: str, block: Sliced, at: int) -> tuple[int, ...]:
    numbers = unpack_at(code, block, at)
    if numbers is None:
        raise _Damaged
    return numbers


# EXIF 2.32, tables 4, 7 and 15. The numbers of the GPS directory are small and collide with nothing of the others.
DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL, SUBSEC_TIME_ORIGINAL = 0x9003, 0x9011, 0x9291
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE = 1, 2, 3, 4
ALTITUDE_REF, ALTITUDE, TIME_STAMP, STATUS, DIRECTION_REF, DIRECTION, DATE_STAMP = 5, 6, 7, 9, 16, 17, 29
# Our own number: GPSAltitude with its numerator read as a signed integer, as some firmware of drones writes it.
ALTITUDE_IF_SIGNED = -ALTITUDE
PHOTO_TAGS = frozenset({DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL, SUBSEC_TIME_ORIGINAL})
MAKE, MODEL, FOCAL_LENGTH, FOCAL_LENGTH_35MM = 0x010F, 0x0110, 0x920A, 0xA405
PIXEL_WIDTH, PIXEL_HEIGHT, FOCAL_PLANE_X, FOCAL_PLANE_UNIT = 0xA002, 0xA003, 0xA20E, 0xA210
CAMERA_TAGS = frozenset(
    {
        MAKE, MODEL, FOCAL_LENGTH, FOCAL_LENGTH_35MM,
        PIXEL_WIDTH, PIXEL_HEIGHT, FOCAL_PLANE_X, FOCAL_PLANE_UNIT,
    }
)  # fmt: skip
GPS_TAGS = frozenset(
    {
        LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE,
        ALTITUDE_REF, ALTITUDE, TIME_STAMP, STATUS, DIRECTION_REF, DIRECTION, DATE_STAMP,
    }
)  # fmt: skip
