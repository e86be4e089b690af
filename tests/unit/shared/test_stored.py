"""Values from outside become what PostgreSQL holds, or are refused in words."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.contracts import stored
from shared.contracts.states import ImageStatus
from shared.jobs.results import NewResult

EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))


@pytest.mark.parametrize(
    "value",
    [datetime(1, 1, 1, tzinfo=EAST), datetime(9999, 12, 31, 23, tzinfo=WEST), datetime(1, 1, 1, 13, 59, tzinfo=EAST)],
)
def test_a_moment_outside_of_the_years_in_utc_is_refused(value: datetime) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999 in UTC"):
        stored.moment(value)


def test_the_first_and_the_last_moment_are_taken() -> None:
    assert stored.moment(datetime(1, 1, 1, 14, tzinfo=EAST)) == datetime(1, 1, 1, tzinfo=UTC)
    last = datetime.max.replace(tzinfo=UTC)
    assert stored.moment(last.astimezone(WEST)) == last


def test_a_moment_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stored.moment(datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (1e-50, 0.0),
        (-1e-50, 0.0),
        (1e-40, 0.0),
        (5e-324, 0.0),
        (0.1, 0.10000000149011612),
        (360.0, 360.0),
        (1e38, 9.999999680285692e37),
    ],
)
def test_a_number_of_32_bits_is_rounded_and_never_refused_for_being_small(given: float, kept: float) -> None:
    assert stored.real(given) == kept


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_a_number_that_32_bits_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        stored.real(value)


@pytest.mark.parametrize("value", ["a\0", "\ud800", "x\udfff"])
def test_text_that_cannot_be_stored_is_refused_or_shown_without_it(value: str) -> None:
    with pytest.raises(ValueError, match=r"must not contain the character U\+"):
        stored.text(value)
    assert stored.words(value).endswith("\ufffd")


def test_every_other_character_is_taken() -> None:
    assert stored.text("\t\n\x01🌿\uffff") == stored.words("\t\n\x01🌿\uffff") == "\t\n\x01🌿\uffff"


def test_what_a_program_says_has_an_end() -> None:
    assert stored.words("x" * 9999, max_length=10) == "xxxxxxxxx…"


def test_what_a_file_says_and_no_column_holds_is_left_out() -> None:
    result = NewResult(
        seq=1,
        status=ImageStatus.SUCCEEDED,
        latitude=41.5,
        longitude=math.nan,
        altitude=math.inf,
        heading=1e-50,
        captured_at=datetime(1, 1, 1, tzinfo=EAST),
        error_detail="\0",
    )
    assert (result.latitude, result.longitude, result.position_fault) == (None, None, "invalid_position")
    assert (result.altitude, result.heading, result.captured_at) == (None, 0.0, None)
    assert result.error_detail == "\ufffd"
