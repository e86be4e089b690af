import argparse
from datetime import UTC, datetime, timedelta

import pytest

from api.admin.table import table
from api.admin.times import moment, short, span


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604800), (" 1 h ", 3600)]
)
def test_spans_are_read(text: str, seconds: int) -> None:
    assert span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "h", "2", "2w", "-2h", "1.5h", f"{10**12}d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"no span|too long"):
        span(text)


def test_moments_are_read_with_their_zone() -> None:
    assert moment("2026-11-26T08:00:00+01:00") == datetime(2026, 11, 26, 7, tzinfo=UTC)
    assert moment("2026-11-26") == datetime(2026, 11, 26, tzinfo=UTC)
    assert moment("1h") < datetime.now(UTC) - timedelta(minutes=59)
    for text in ("yesterday", f"{10**9}d"):
        with pytest.raises(argparse.ArgumentTypeError, match=r"no moment|too long"):
            moment(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (-3, "0s"), (59, "59s"), (60, "1m"), (3661, "1h 1m"), (86400, "1d"), (90061, "1d 1h")],
)
def test_spans_are_shown_in_two_units(seconds: float, text: str) -> None:
    assert short(timedelta(seconds=seconds)) == text


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    said = table(("A", "LONGER"), [("x", 1), ("three", None), ("", "two\nlines")])
    assert said.splitlines() == ["A      LONGER", "x      1", "three  -", "-      two lines"]
