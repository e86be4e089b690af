"""Numbers and names for people."""

from __future__ import annotations

import pytest

from phytobatch.words import clock, in_bytes, in_time, ordinal, place_in_queue, plural, shown, speed, time_left


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (999, "999 B"), (1200, "1.2 kB"), (5e15, "5000.0 TB")])
def test_bytes_have_units(count: float, words: str) -> None:
    assert in_bytes(count) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59, "59 s"), (600, "10 min"), (11100, "3 h 05 min")])
def test_times_have_units(seconds: float, words: str) -> None:
    assert in_time(seconds) == words


def test_one_is_not_many() -> None:
    assert [plural(1, "image"), plural(2000, "image")] == ["1 image", "2,000 images"]


def test_a_name_cannot_steer_the_terminal() -> None:
    assert shown("\x1b[2Jleaf\n Blüte.jpg") == "\\x1b[2Jleaf\\n Blüte.jpg"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "a few seconds left"), (42, "about 40 s left"), (58, "about 1 min left"), (185, "about 3 min left")],
)
def test_an_estimate_is_no_more_exact_than_it_is(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(7.9, "0:07"), (760, "12:40"), (3723, "1:02:03")])
def test_a_stopwatch(seconds: float, words: str) -> None:
    assert clock(seconds) == words


@pytest.mark.parametrize(
    ("rate", "words"), [(12.44, "12.4 images/s"), (0.5, "30.0 images/min"), (0.001, "3.6 images/h")]
)
def test_slow_work_is_counted_in_longer_times(rate: float, words: str) -> None:
    assert speed(rate) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (113, "113th"), (1021, "1,021st")],
)
def test_ordinals(number: int, words: str) -> None:
    assert ordinal(number) == words


def test_the_first_in_the_queue_is_next() -> None:
    assert [place_in_queue(1), place_in_queue(22)] == ["next in the queue", "22nd in the queue"]
