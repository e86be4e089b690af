"""The moment at which a photo was taken. A time without a zone counts only if the camera's zone is configured."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from worker.inference.geography import exif as tags
from worker.inference.geography.exif import Tags, Value
from worker.inference.geography.metadata import Metadata

FIRST_YEAR, LAST_YEAR = 1990, 2099  # The clock of a camera or receiver that was never set is outside.
LONGEST_OFFSET = timedelta(hours=14)
_DATE_TIME = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
# As XMP writes it (part 1, 8.2.1.2), and as EXIF writes the same: parts of a second and a zone may follow.
_XMP_TIME = re.compile(r"(\d{4}[:\-]\d\d[:\-]\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d{1,20}))?(Z|[+-]\d\d:\d\d)?")
_DATE = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_CLOCK = 3  # hours, minutes, seconds


def captured_at_of(metadata: Metadata, camera_zone: tzinfo | None = None) -> datetime | None:
    """Return the moment in UTC, from the first of these that is there and plausible.

    1. GPSDateStamp and GPSTimeStamp: the receiver's time is UTC.
    2. DJI's UTCAtExposure, then XMP's GPSTimeStamp with its zone.
    3. DateTimeOriginal with OffsetTimeOriginal, then XMP's DateTimeOriginal with its zone.
    4. DateTimeOriginal on a clock in ``camera_zone``, of EXIF and then of XMP; without that, nothing.
    """
    return next((moment for moment in _candidates(metadata, camera_zone) if moment is not None), None)


def _candidates(metadata: Metadata, camera_zone: tzinfo | None) -> Iterator[datetime | None]:
    for gps in metadata.gps:
        yield _receiver(gps.get(tags.DATE_STAMP), gps.get(tags.TIME_STAMP))
    for packet in metadata.packets:
        yield _read_time(packet.get("drone-dji:UTCAtExposure"), UTC)
        yield _read_time(packet.get("exif:GPSTimeStamp"), None)
    for zone in (None, camera_zone):
        yield from (_camera(photo, zone) for photo in metadata.photos)
        yield from (_read_time(packet.get("exif:DateTimeOriginal"), zone) for packet in metadata.packets)


def _receiver(day: Value | None, clock: Value | None) -> datetime | None:
    match = _DATE.fullmatch(day) if isinstance(day, str) else None
    if match is None or not isinstance(clock, tuple) or len(clock) != _CLOCK:
        return None
    hours, minutes, seconds = (-1.0 if part is None else float(part) for part in clock)
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):  # noqa: PLR2004  # the clock, and a leap second
        return None
    start = _sane(tuple(map(int, match.groups())))
    passed = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None if start is None else start.replace(tzinfo=UTC) + passed


def _read_time(text: str | None, zone: tzinfo | None) -> datetime | None:
    """Read a time of XMP, in ``zone`` if it has none of its own."""
    match = _XMP_TIME.fullmatch(text or "")
    if match is None:
        return None
    return _moment(match[1], match[2] or "", UTC if match[3] == "Z" else _offset(match[3]) or zone)


def _camera(photo: Tags, camera_zone: tzinfo | None) -> datetime | None:
    text, subsec = photo.get(tags.DATE_TIME_ORIGINAL), photo.get(tags.SUBSEC_TIME_ORIGINAL)
    zone = _offset(photo.get(tags.OFFSET_TIME_ORIGINAL)) or camera_zone
    return _moment(text, subsec if isinstance(subsec, str) else "", zone) if isinstance(text, str) else None


def _moment(text: str, subsec: str, zone: tzinfo | None) -> datetime | None:
    """Read a time on the clock of a zone; ``subsec`` are the digits behind its point."""
    match = _DATE_TIME.fullmatch(text)
    local = _sane(tuple(map(int, match.groups()))) if match else None
    if local is None or zone is None:
        return None
    microseconds = int(subsec[:6].ljust(6, "0")) if subsec.isdecimal() else 0
    return local.replace(microsecond=microseconds, tzinfo=zone).astimezone(UTC)


def _offset(text: Value | None) -> tzinfo | None:
    match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return None if offset > LONGEST_OFFSET else timezone(-offset if match[1] == "-" else offset)


def _sane(numbers: tuple[int, ...]) -> datetime | None:
    """Return a valid date and time within the years of digital cameras, else None."""
    if not FIRST_YEAR <= numbers[0] <= LAST_YEAR:
        return None
    year, month, day, hours, minutes, seconds = (*numbers, 0, 0, 0)[:6]
    try:
        return datetime(year, month, day, hours, minutes, seconds)  # noqa: DTZ001  # the caller knows the zone
    except ValueError:
        return None
