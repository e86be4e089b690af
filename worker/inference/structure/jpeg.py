"""JPEG: the segments before the first scan (ITU-T T.81, annex B)."""

import re
import struct
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits
from worker.inference.structure.structure import Structure, check_size

MAX_SEGMENTS = 512  # before the first scan; thermal cameras write about a hundred
MAX_FILL_BYTES = 64  # 0xFF before a marker
MAX_ORDINARY_SCANS = 48  # of a file; a dozen for each of a picture and its previews
# Scans go over the whole picture: this many pixels, all scans together, take a thread about three seconds.
MAX_SCANNED_PIXELS = 600_000_000

_SOS, _COMMENT = 0xDA, 0xFE
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES = frozenset({_BASELINE, _EXTENDED, _PROGRESSIVE})
# Table B.1, and ISO/IEC 14495-1 for the last one; no name where pixels of 8 bits are read.
_FRAME_NAMES = MappingProxyType(
    dict.fromkeys((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA), "")
    | dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), " hierarchical")
    | {0xCB: " lossless, arithmetically coded", 0xF7: " lossless (JPEG-LS)"}
)
_TABLES = frozenset({0xC4, 0xDB, 0xDD})  # Huffman, quantization, restart interval
_JFIF, _ADOBE = 0xE0, 0xEE  # They say how colours are stored.
_DROPPED = frozenset(range(0xE0, 0xF0)) - {_JFIF, _ADOBE} | {_COMMENT}
# 0xFF, 0xDA. Never within pixels: there 0xFF is followed by 0 (ITU-T T.81, F.1.2.3).
_START_OF_SCAN = int.from_bytes(b"\xff\xda", "little")
_START_OF_IMAGE, _END_OF_IMAGE = 0xD8, 0xD9
MAX_MARKERS = 10_000  # of a whole file, restarts within its pixels not counted
# Markers that a decoder stops at: no stuffed byte, no fill byte, no restart (B.1.1).
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_FIRST_WITH_LENGTH = 0xC0  # markers below are reserved, and stand alone (table B.1)
_COMPONENTS = frozenset({1, 3, 4})  # grey, colour, four inks
_MAX_SAMPLING = 4
_PIXEL_BYTES = 4  # of Pillow's, whatever the mode; also those of a copy in another mode


@dataclass(slots=True)
class _Head:
    """Segments that are kept, and the frame among them."""

    segments: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: bytes | None = None
    progressive: bool = False


def inspect_jpeg(data: bytes, limits: PictureLimits) -> Structure | None:
    """Read the segments before the first scan.

    Raises:
        ImageError: ``too_many_pixels``, or ``too_costly`` for too many scans.
    """
    scans = count_scans(data)
    if scans > MAX_ORDINARY_SCANS:
        scans = _count_exactly(data, scans)
    if scans > limits.scans:
        detail = f"The picture comes in more than {limits.scans} scans; export it again."
        raise ImageError(ImageErrorCode.TOO_COSTLY, detail)
    head = _Head()
    start = _read_segments(data, head)
    if start is None or head.frame is None:
        return None
    height, width, samples = _frame_size(head.frame)
    if not width or not height or not samples:
        return None
    check_size(width, height, limits)
    if scans > MAX_ORDINARY_SCANS or (head.progressive and scans * width * height > MAX_SCANNED_PIXELS):
        return None
    components, first = head.frame[9], data[start + 4]
    stored = 2 * samples if head.progressive or first < components else 0  # coefficients of 16 bits
    copies = 2 if components == 4 else 1  # noqa: PLR2004  # CMYK and its RGB
    memory = copies * _PIXEL_BYTES * width * height + stored + len(data)
    return Structure(b"".join([*head.segments, data[start:]]), memory, (width, height))


def count_scans(data: bytes) -> int:
    """Count the scans that begin in a file, at even and odd places; ``data.count`` takes eight times as long."""
    pairs = (np.frombuffer(data, "<u2", (len(data) - at) // 2, at) for at in (0, 1))
    return sum(int(np.count_nonzero(those == _START_OF_SCAN)) for those in pairs)


def _count_exactly(data: bytes, counted: int) -> int:
    """Count the scans up to the end of the first picture; return ``counted`` if too many markers come before it.

    Behind it phones write a film, and cameras more pictures: in bytes of any kind, each 64 KB begin a scan.
    """
    scans, at = 0, 2
    for _ in range(MAX_MARKERS):
        match = _MARKER.search(data, at)
        if match is None:
            return scans
        marker, at = match[0][1], match.end()
        if marker in {_START_OF_IMAGE, _END_OF_IMAGE}:  # A decoder stops at a second start, too.
            return scans
        scans += marker == _SOS
        if marker >= _FIRST_WITH_LENGTH:
            at += int.from_bytes(data[at : at + 2], "big")
    return counted


def describe_jpeg(data: bytes) -> str | None:
    """Describe a JPEG of a form that no decoder here reads; return None if its frame is ordinary or damaged."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        match = _MARKER.search(data, at)
        if match is None or match[0][1] == _SOS or len(data) < match.end() + 8:
            return None
        marker, at = match[0][1], match.end()
        if marker in _FRAME_NAMES:
            precision, height, _, components = struct.unpack_from(">BHHB", data, at + 2)
            known = precision == 8 and components in _COMPONENTS and height  # noqa: PLR2004  # bits
            if known and not _FRAME_NAMES[marker]:
                return None
            words = f"a{_FRAME_NAMES[marker]} JPEG of {components} component{'s' if components != 1 else ''}"
            return f"{words} of {precision} bits" + ("" if height else " that names its height behind its pixels")
        if marker >= _FIRST_WITH_LENGTH and marker not in {_START_OF_IMAGE, _END_OF_IMAGE}:
            at += int.from_bytes(data[at : at + 2], "big")
    return None


def _read_segments(data: bytes, head: _Head) -> int | None:
    """Fill ``head``; return the offset of the first scan, None if the file is unusual."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        at = _skip_fill(data, at)
        if len(data) < at + 5 or data[at] != 0xFF:  # noqa: PLR2004  # a marker
            return None
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SOS:
            return at
        end = at + 2 + size
        if size < 2 or end > len(data) or not _keep(marker, data[at:end], head):  # noqa: PLR2004  # the size itself
            return None
        at = end
    return None


def _skip_fill(data: bytes, at: int) -> int:
    """Pass over fill bytes: any number of 0xFF may stand before a marker (B.1.1.2)."""
    for _ in range(MAX_FILL_BYTES):
        if data[at : at + 2] != b"\xff\xff":
            break
        at += 1
    return at


def _keep(marker: int, segment: bytes, head: _Head) -> bool:
    """Take a segment into ``head`` if pixels need it; return False if it makes the file unusual."""
    if marker in _DROPPED:
        return True
    if marker in _FRAMES:
        if head.frame is not None or len(segment) < 10 or len(segment) != 10 + 3 * segment[9]:  # noqa: PLR2004  # B.2.2
            return False
        head.frame, head.progressive = segment, marker == _PROGRESSIVE
    elif marker not in _TABLES and marker not in {_JFIF, _ADOBE}:
        return False
    head.segments.append(segment)
    return True


def _frame_size(frame: bytes) -> tuple[int, int, int]:
    """Return height, width and samples of all components (B.2.2, A.1.1); 0 samples if the frame is unusual."""
    precision, height, width, components = struct.unpack_from(">BHHB", frame, 4)
    factors = [(frame[10 + 3 * n + 1] >> 4, frame[10 + 3 * n + 1] & 15) for n in range(components)]
    known = all(1 <= h <= _MAX_SAMPLING and 1 <= v <= _MAX_SAMPLING for h, v in factors)
    if precision != 8 or components not in _COMPONENTS or not known:  # noqa: PLR2004  # bits
        return height, width, 0
    largest = max(h for h, _ in factors), max(v for _, v in factors)
    units = -(-width // (8 * largest[0])) * -(-height // (8 * largest[1]))
    return height, width, units * 64 * sum(h * v for h, v in factors)
