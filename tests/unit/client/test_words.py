"""Numbers and names for people."""

import pytest

from client.words import in_bytes, in_time, plural, shown


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
