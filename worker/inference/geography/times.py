"""When a photo was taken. A time without a zone is no moment: it is taken only where somebody said which zone it is."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from worker.inference.geography import exif as tags
from worker.inference.geography.exif import Exif, Value
from worker.inference.geography.xmp import Xmp

FIRST_YEAR, LAST_YEAR = 1990, 2099  # The clock of a camera or receiver that was never set is outside.
LONGEST_OFFSET = timedelta(hours=14)
_DATE_TIME = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_DATE = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_CLOCK = 3  # hours, minutes, seconds


def captured_at_of(exif: Exif | None, xmp: Xmp, camera_zone: tzinfo | None = None) -> datetime | None:
    """The moment in UTC, from the first of these that is there and sane.

    1. GPSDateStamp and GPSTimeStamp: the receiver's time is UTC.
    2. DJI's UTCAtExposure.
    3. DateTimeOriginal with OffsetTimeOriginal.
    4. DateTimeOriginal on a clock in ``camera_zone``; without that, nothing.
    """
    gps, photo = (exif.gps or {}, exif.photo) if exif is not None else ({}, {})
    return (
        _receiver(gps.get(tags.DATE_STAMP), gps.get(tags.TIME_STAMP))
        or _utc_text(xmp.get("utc", ""))
        or _camera(photo, camera_zone)
    )


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


def _utc_text(text: str) -> datetime | None:
    moment, fraction = text[:19], text[19:]
    local = _local(moment, fraction.removeprefix("."))
    return None if local is None else local.replace(tzinfo=UTC)


def _camera(photo: dict[int, Value], camera_zone: tzinfo | None) -> datetime | None:
    text, subsec = photo.get(tags.DATE_TIME_ORIGINAL), photo.get(tags.SUBSEC_TIME_ORIGINAL)
    zone = _offset(photo.get(tags.OFFSET_TIME_ORIGINAL)) or camera_zone
    if not isinstance(text, str) or zone is None:
        return None
    local = _local(text, subsec if isinstance(subsec, str) else "")
    return None if local is None else local.replace(tzinfo=zone).astimezone(UTC)


def _local(text: str, subsec: str) -> datetime | None:
    """A time on some clock; ``subsec`` are the digits behind its point."""
    match = _DATE_TIME.fullmatch(text)
    moment = _sane(tuple(map(int, match.groups()))) if match else None
    if moment is None:
        return None
    return moment.replace(microsecond=int(subsec[:6].ljust(6, "0")) if subsec.isdecimal() else 0)


def _offset(text: Value | None) -> tzinfo | None:
    match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return None if offset > LONGEST_OFFSET else timezone(-offset if match[1] == "-" else offset)


def _sane(numbers: tuple[int, ...]) -> datetime | None:
    """A moment of the calendar within the years that cameras have been about."""
    if not FIRST_YEAR <= numbers[0] <= LAST_YEAR:
        return None
    year, month, day, hours, minutes, seconds = (*numbers, 0, 0, 0)[:6]
    try:
        return datetime(year, month, day, hours, minutes, seconds)  # noqa: DTZ001  # the caller knows the zone
    except ValueError:
        return None
