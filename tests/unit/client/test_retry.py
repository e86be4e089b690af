"""Repeats of requests."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytobatch.retry import RetryPolicy, parse_retry_after


def test_pauses_double_up_to_the_longest() -> None:
    policy = RetryPolicy(total_seconds=1000, first_seconds=1, longest_seconds=5, random=lambda: 1.0)

    assert [policy.pause(attempt, elapsed=0) for attempt in range(5)] == [1, 2, 4, 5, 5]


@given(attempt=st.integers(0, 5000), draw=st.floats(0, 1))
def test_jitter_takes_at_most_half_of_a_pause(attempt: int, draw: float) -> None:
    policy = RetryPolicy(total_seconds=1000, first_seconds=1, longest_seconds=20, random=lambda: draw)
    bound = min(20, 2 ** min(attempt, 10))

    pause = policy.pause(attempt, elapsed=0)

    assert pause is not None
    assert bound / 2 <= pause <= bound


@given(seconds=st.floats(0, 50), draw=st.floats(0, 1))
def test_nobody_comes_back_before_the_server_said(seconds: float, draw: float) -> None:
    pause = RetryPolicy(total_seconds=100, random=lambda: draw).pause(0, elapsed=0, retry_after=seconds)

    assert pause is not None
    assert seconds <= pause <= seconds * 1.1 + 1e-9


def test_who_asked_too_often_waits_out_the_minute_that_the_server_names() -> None:
    policy = RetryPolicy(total_seconds=15, random=lambda: 1.0)

    assert policy.pause(0, elapsed=0, retry_after=60, rate_limited=True) == pytest.approx(66)
    assert policy.pause(0, elapsed=0, retry_after=60) is None
    assert policy.pause(0, elapsed=20, retry_after=60, rate_limited=True) is None
    assert RetryPolicy(total_seconds=0).pause(0, elapsed=0, retry_after=1, rate_limited=True) is None


@pytest.mark.parametrize(("elapsed", "retry_after"), [(60.0, None), (0.0, 61.0), (59.9, None)])
def test_a_pause_that_ends_after_the_total_time_is_not_begun(elapsed: float, retry_after: float | None) -> None:
    policy = RetryPolicy(total_seconds=60, random=lambda: 1.0)

    assert policy.pause(0, elapsed=elapsed, retry_after=retry_after) is None


def test_a_total_time_of_zero_never_repeats() -> None:
    assert RetryPolicy(total_seconds=0).pause(0, elapsed=0) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        (" 7 ", 7.0),
        ("soon", None),
        ("-3", None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, datetime(2026, 10, 21, 7, 28, tzinfo=timezone.utc)) == seconds
