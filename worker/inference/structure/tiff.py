"""TIFF and BigTIFF: the first directory (TIFF 6.0, section 2; the Adobe DNG and TIFF/EP additions for raw files)."""

import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits
from worker.inference.signatures import RAW_FILE
from worker.inference.sliced import Sliced
from worker.inference.structure.structure import Structure, check_size

MAX_ENTRIES = 512  # of a directory; cameras write fewer than a hundred
MAX_VALUES = 70_000  # of one entry: as many strips as a picture may have rows
MAX_VALUE_BYTES = 4 * 1024**2  # of all entries that are kept

SUBFILE_TYPE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_SIZES = 273, 274, 277, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES, SUB_DIRECTORIES, SAMPLE_FORMAT = 322, 323, 324, 325, 330, 339
XMP, _OLD_SUBFILE_TYPE = 700, 255
_RAW_TAGS = frozenset({33422, 50706})  # the pattern of a colour filter array, the version of a DNG
MAX_DIRECTORIES = 16  # besides the first one that are looked through for raw pixels; cameras write fewer than ten
# Fill order, planes, predictor, palette, inks, extra samples, YCbCr; beside those above.
_KEPT = frozenset(
    {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, 266, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP,
     STRIP_SIZES, 284, 317, 320, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES, 332, 338, SAMPLE_FORMAT, 529, 530,
     531, 532}
)  # fmt: skip
_FRACTIONS = frozenset({529, 532})  # of those, the tags whose values are no whole numbers
_REDUCED = 1  # bit of SUBFILE_TYPE: a smaller version of another picture in the file
_OLD_REDUCED = 2  # number of _OLD_SUBFILE_TYPE: the same
_RAW_PHOTOMETRICS = frozenset({32803, 34892})  # a colour filter array; linear raw
# Stored as it is, LZW, Deflate (two numbers), PackBits: what a decoder does with them is bounded by the size of the
# picture. JPEG inside of TIFF is not.
_ORDINARY_COMPRESSIONS = frozenset({1, 5, 8, 32946, 32773})
_COMPRESSION_NAMES = MappingProxyType(
    {2: "CCITT", 3: "CCITT fax 3", 4: "CCITT fax 4", 6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000", 33003: "JPEG 2000",
     34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL"}
)  # fmt: skip
_UNREADABLE_COMPRESSIONS = frozenset({50001})  # Pillow opens these, and its libtiff has no decoder for them.
_COLOUR_NAMES = MappingProxyType(
    {0: "", 1: "", 2: "", 3: " in a palette", 4: " of a mask", 5: " of inks", 6: " in YCbCr", 8: " in CIE Lab",
     9: " in ICC Lab", 10: " in ITU Lab", 32844: " in LogL", 32845: " in LogLuv"}
)  # fmt: skip
_FORMAT_NAMES = MappingProxyType({1: "", 2: "signed ", 3: "floating-point ", 4: "", 5: "complex ", 6: "complex "})
_MAX_ORDINARY_SAMPLES = 4
# Width of values by type (section 2; BigTIFF adds 13, 16, 17 and 18).
_WIDTHS = MappingProxyType({1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8})
_INTEGERS = MappingProxyType({1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"})
_LONG, _LONG8 = 4, 16
_BIG = 43  # version of a BigTIFF
_HEADER_BYTES = 16  # of a BigTIFF and of raw files
# Bytes of a pixel in Pillow, and of its copy as RGB.
_PIXEL_BYTES = 4 + 4
# Canon's CR2: its first directory stands at 16. Phase One's IIQ, in both byte orders.
_RAW_HEADERS = re.compile(rb"II\*\0\x10\0\0\0CR\x02|II\*\0....IIII.waR|MM\0\*....MMMMRaw", re.DOTALL)
# Tiles may reach over the edges of their picture; small pictures have tiles that are large beside them.
_TILE_EXCESS, _SMALL_TILES = 4, 4_000_000

_RAW = f"The file is {RAW_FILE}; upload that."
_PREVIEW = "The first picture in this TIFF is a preview of another one; export the photograph as JPEG or a plain TIFF."


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of a TIFF.

    Attributes:
        order: byte order, ``<`` or ``>``.
        big: True for a BigTIFF.
        entries: type, number of values, and the bytes of the value field, by tag.
        following: position of the next directory, 0 for the last one.
        data: the whole file, or what fetches its parts.
    """

    order: str
    big: bool
    entries: Mapping[int, tuple[int, int, bytes]]
    following: int
    data: Sliced

    @property
    def header_bytes(self) -> int:
        """Size of the file's header, which a copy replaces."""
        return 16 if self.big else 8

    @property
    def is_whole(self) -> bool:
        """True if every value lies in the file; if one does not, Pillow passes over others, too."""
        total = 0
        for kind, count, field in self.entries.values():
            size = _WIDTHS[kind] * count
            if size > len(field):
                total += size
                if self._offset(field) + size > len(self.data):
                    return False
        return total <= len(self.data)

    def _offset(self, field: bytes) -> int:
        return _number(field, self.order)

    def raw(self, tag: int) -> bytes | None:
        """Return the bytes of a tag's values; None if it is missing, too long, or outside of the file."""
        if tag not in self.entries:
            return None
        kind, count, field = self.entries[tag]
        size = _WIDTHS[kind] * count
        if not size or count > MAX_VALUES:
            return None
        if size <= len(field):
            return field[:size]
        at = self._offset(field)
        return self.data[at : at + size] if at + size <= len(self.data) else None

    def integers(self, tag: int) -> tuple[int, ...]:
        """Return the values of a tag of whole numbers; empty if it is missing or damaged."""
        raw = self.raw(tag)
        code = _INTEGERS.get(self.entries[tag][0]) if raw is not None else None
        if raw is None or code is None:
            return ()
        return tuple(number for (number,) in struct.iter_unpack(self.order + code, raw))

    def integer(self, tag: int, default: int = 0) -> int:
        """Return the first value of a tag of whole numbers."""
        return next(iter(self.integers(tag)), default)


def inspect_tiff(data: bytes, limits: PictureLimits) -> Structure | None:
    """Read the first directory; an ordinary picture gets a file whose only directory holds what pixels need.

    Raises:
        ImageError: ``unsupported_format`` for raw files of cameras and for previews, ``too_many_pixels``.
    """
    directory = read_directory(data)
    if directory is None:
        return None
    _refuse_raw(directory)
    width, height = directory.integer(WIDTH), directory.integer(HEIGHT)
    check_size(width, height, limits)
    tile = directory.integer(TILE_WIDTH) * directory.integer(TILE_HEIGHT)
    if tile > limits.pixels:  # A tile is decoded whole, however little of it the picture shows (section 15).
        size = f"{directory.integer(TILE_WIDTH)} x {directory.integer(TILE_HEIGHT)}"
        detail = f"The tiles of the picture are {size} pixels, more than the limit of {limits.pixels}. Export it again."
        raise ImageError(ImageErrorCode.TOO_MANY_PIXELS, detail)
    if not width or not height or not _is_ordinary(directory, width, height):
        return None
    essential = _essential(directory, data)
    if essential is None:
        return None
    memory = _PIXEL_BYTES * width * height + 2 * _PIXEL_BYTES * tile + len(essential)
    return Structure(essential, memory, (width, height))


def read_directory(data: Sliced, at: int | None = None) -> Directory | None:
    """Read a directory; return None if it is missing or has too many entries.

    As in Pillow, the first of several entries for a tag counts, and entries of unknown types are passed over.

    Args:
        data: the whole file.
        at: position of the directory, None for the first one.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:  # noqa: PLR2004  # the header of a BigTIFF
        return None
    big = _number(data[2:4], order) == _BIG
    if at is None:
        at = _number(data[8:16] if big else data[4:8], order)
    counter, entry, link = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    head, size = struct.calcsize("=" + counter), struct.calcsize("=" + entry)
    if at + head > len(data):
        return None
    count = _number(data[at : at + head], order)
    end = at + head + count * size
    if count > MAX_ENTRIES or end > len(data):
        return None
    raw_entries = struct.iter_unpack(order + entry, data[at + head : end])
    entries: dict[int, tuple[int, int, bytes]] = {}
    for tag, kind, number, field in raw_entries:
        if kind in _WIDTHS:
            entries.setdefault(tag, (kind, number, field))
    following = data[end : end + struct.calcsize("=" + link)]
    return Directory(order, big, entries, _number(following, order), data)


def _number(field: bytes, order: str) -> int:
    return int.from_bytes(field, "little" if order == "<" else "big")


def describe_tiff(data: bytes, *, opened: bool) -> str | None:
    """Describe the form of a TIFF that no decoder here reads; return None if it has no readable directory.

    Args:
        data: the whole file.
        opened: a decoder took the header for one that it reads.
    """
    directory = read_directory(data)
    if directory is None or not directory.integer(WIDTH):
        return None
    compression = directory.integer(COMPRESSION, 1)
    is_foreign = directory.big and directory.order == ">"  # Pillow takes such a header for that of a plain TIFF.
    if opened and compression not in _UNREADABLE_COMPRESSIONS and not is_foreign:
        return None
    bits = directory.integers(BITS) or (1,)
    bands = directory.integer(SAMPLES, 1)
    kind = _FORMAT_NAMES.get(directory.integer(SAMPLE_FORMAT, 1), "")
    name = "big-endian BigTIFF" if is_foreign else "TIFF"
    words = f"a {name} of {bands} band{'s' if bands > 1 else ''} of {'/'.join(map(str, sorted(set(bits))))} {kind}bits"
    words += _COLOUR_NAMES.get(directory.integer(PHOTOMETRIC, -1), " in no known colours")
    if compression not in _ORDINARY_COMPRESSIONS:
        words += f", packed as {_COMPRESSION_NAMES.get(compression, f'compression {compression}')}"
    return words


def _refuse_raw(directory: Directory) -> None:
    """Refuse files that would be classified by a preview: the first directory of raw files is a small picture.

    Tags of a raw file that an editor copied into its export do not make it a raw file: the pixels decide.
    """
    below = [sub for at in directory.integers(SUB_DIRECTORIES)[:MAX_DIRECTORIES] if (sub := _at(directory, at))]
    all_of_them = [directory, *below, *_following(directory)]
    has_raw_pixels = any(each.integer(PHOTOMETRIC) in _RAW_PHOTOMETRICS for each in all_of_them)
    has_others = SUB_DIRECTORIES in directory.entries
    is_named_raw = _RAW_TAGS & directory.entries.keys() and (has_others or directory.integer(SAMPLES, 1) == 1)
    if has_raw_pixels or is_named_raw or _RAW_HEADERS.match(directory.data[:_HEADER_BYTES]):
        raise ImageError(ImageErrorCode.UNSUPPORTED_FORMAT, _RAW)
    is_reduced = directory.integer(SUBFILE_TYPE) & _REDUCED or directory.integer(_OLD_SUBFILE_TYPE) == _OLD_REDUCED
    is_preview = is_reduced and (has_others or directory.following)
    if is_preview or any(_area(sub) > _area(directory) for sub in below):
        raise ImageError(ImageErrorCode.UNSUPPORTED_FORMAT, _RAW if has_others and is_reduced else _PREVIEW)


def _at(directory: Directory, at: int) -> Directory | None:
    """Read another directory of the same file."""
    return read_directory(directory.data, at)


def _following(directory: Directory) -> Iterator[Directory]:
    """Yield the directories behind the first one, in their chain."""
    for _ in range(MAX_DIRECTORIES):
        following = _at(directory, directory.following) if directory.following else None
        if following is None:
            return
        directory = following
        yield directory


def _area(directory: Directory) -> int:
    """Return the number of pixels of a directory's picture."""
    return directory.integer(WIDTH) * directory.integer(HEIGHT)


def _is_ordinary(directory: Directory, width: int, height: int) -> bool:
    """Return True if the pixels stand in the file once, in a form whose cost is bounded by their number."""
    tiled = TILE_OFFSETS in directory.entries
    offsets = directory.integers(TILE_OFFSETS if tiled else STRIP_OFFSETS)
    sizes = directory.integers(TILE_SIZES if tiled else STRIP_SIZES)
    samples, bits = directory.integer(SAMPLES, 1), directory.integers(BITS) or (1,)
    across, down = directory.integer(TILE_WIDTH), directory.integer(TILE_HEIGHT)
    area = max(_TILE_EXCESS * width * height, _SMALL_TILES)
    return (
        directory.integer(COMPRESSION, 1) in _ORDINARY_COMPRESSIONS
        and 0 < len(offsets) == len(sizes)
        and len(offsets) <= samples * height
        and min(offsets) >= directory.header_bytes
        and sum(sizes) <= len(directory.data)
        and directory.is_whole
        # What is no whole number here is one to libtiff, perhaps: a signed byte for the compression, say.
        and all(map(directory.integers, _KEPT & directory.entries.keys() - _FRACTIONS))
        and samples <= _MAX_ORDINARY_SAMPLES
        and max(bits) <= 32  # noqa: PLR2004  # as Pillow
        and (
            not tiled or 0 < math.ceil(width / max(across, 1)) * math.ceil(height / max(down, 1)) * across * down < area
        )
    )


def _essential(directory: Directory, data: bytes) -> bytes | None:
    """Return the file with one directory at its end that holds only what pixels need; None if it would be large."""
    # Pillow turns a TIFF as its XMP says, where its own tag says nothing.
    tags = _KEPT if ORIENTATION in directory.entries else _KEPT | {XMP}
    values = {tag: directory.raw(tag) for tag in sorted(tags & directory.entries.keys())}
    if any(raw is None for raw in values.values()) or sum(len(raw or b"") for raw in values.values()) > MAX_VALUE_BYTES:
        return None
    order, big = directory.order, directory.big
    room, pointer, number = (8, "Q", "Q") if big else (4, "I", "H")
    pieces, end = [data], len(data)
    entries: list[bytes] = []
    for tag, raw in values.items():
        kind, count, _ = directory.entries[tag]
        field = raw or b""
        if len(field) > room:
            pieces.append(_even(field))
            field, end = struct.pack(order + pointer, end), end + len(pieces[-1])
        entries.append(struct.pack(f"{order}HH{pointer}", tag, kind, count) + field.ljust(room, b"\0"))
    pieces += [struct.pack(order + number, len(entries)), *entries, bytes(room)]
    return b"".join([_header(order, big=big, directory=end), *_without_header(pieces, directory.header_bytes)])


def _header(order: str, *, big: bool, directory: int) -> bytes:
    name = b"II" if order == "<" else b"MM"
    return name + (
        struct.pack(order + "HHHQ", 43, 8, 0, directory) if big else struct.pack(order + "HI", 42, directory)
    )


def _without_header(pieces: list[bytes], size: int) -> Iterable[bytes]:
    first, *others = pieces
    return [first[size:], *others]


def _even(raw: bytes) -> bytes:
    """Pad to an even length, because values begin on even positions."""
    return raw + bytes(len(raw) % 2)
