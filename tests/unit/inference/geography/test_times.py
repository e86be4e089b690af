from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.unit.inference.geography.pictures import Field, dji, exif_block, fractions, gps, jpeg, text
from worker.inference.geography import read_place

MADRID = ZoneInfo("Europe/Madrid")
ORIGINAL, OFFSET, SUBSEC = 0x9003, 0x9011, 0x9291
LOCAL = {ORIGINAL: text("2026:06:03 10:30:00")}
ZONED = LOCAL | {OFFSET: text("+02:00")}
MOMENT = datetime(2026, 6, 3, 8, 30, tzinfo=UTC)


def taken(
    photo: dict[int, Field], zone: ZoneInfo | None = None, stamp: dict[str, Field] | None = None
) -> datetime | None:
    return read_place(jpeg(exif_block(gps(**(stamp or {})), photo)), camera_zone=zone).captured_at


def receiver(day: str, *clock: tuple[int, int]) -> dict[str, Field]:
    return {"DATE_STAMP": text(day), "TIME_STAMP": fractions(*clock)}


def test_the_offset_makes_a_moment_of_the_camera_time() -> None:
    assert taken(ZONED) == MOMENT
    assert taken(LOCAL | {OFFSET: text("-03:30")}) == datetime(2026, 6, 3, 14, 0, tzinfo=UTC)


def test_parts_of_a_second_are_kept() -> None:
    assert taken(ZONED | {SUBSEC: text("25")}) == MOMENT.replace(microsecond=250_000)
    assert taken(ZONED | {SUBSEC: text("  ")}) == MOMENT


def test_the_receiver_wins() -> None:
    stamp = receiver("2026:06:03", (8, 1), (31, 1), (5, 2))
    assert taken(ZONED, stamp=stamp) == datetime(2026, 6, 3, 8, 31, 2, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "stamp",
    [
        {"TIME_STAMP": fractions((8, 1), (31, 1), (0, 1))},
        {"DATE_STAMP": text("2026:06:03")},
        receiver("1980:01:06", (0, 1), (0, 1), (0, 1)),
        receiver("2026:13:03", (8, 1), (31, 1), (0, 1)),
        receiver("2026:06:03", (25, 1), (0, 1), (0, 1)),
        receiver("2026:06:03", (8, 1), (0, 0), (0, 1)),
        receiver("2026:06:03", (8, 1), (31, 1)),
        receiver("yesterday", (8, 1), (31, 1), (0, 1)),
    ],
)
def test_a_receiver_that_makes_no_sense_is_passed_over(stamp: dict[str, Field]) -> None:
    assert taken(ZONED, stamp=stamp) == MOMENT


def test_a_time_without_a_zone_is_taken_only_where_the_zone_was_said() -> None:
    assert taken(LOCAL) is None
    assert taken(LOCAL, MADRID) == MOMENT
    assert taken(ZONED, ZoneInfo("Asia/Tokyo")) == MOMENT  # The file knows better.


@pytest.mark.parametrize("offset", ["+25:00", "Z", "+2:00", ""])
def test_an_offset_that_makes_no_sense_is_no_zone(offset: str) -> None:
    assert taken(LOCAL | {OFFSET: text(offset)}) is None


@pytest.mark.parametrize("original", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2026:02:30 10:00:00", "soon"])
def test_a_time_that_makes_no_sense_is_none(original: str) -> None:
    assert taken({ORIGINAL: text(original), OFFSET: text("+00:00")}) is None


def test_the_time_of_exposure_of_newer_drones_is_utc() -> None:
    place = read_place(jpeg(exif_block(photo=LOCAL), dji(UTCAtExposure="2026-06-03T08:30:00.123456")))
    assert place.captured_at == MOMENT.replace(microsecond=123_456)
