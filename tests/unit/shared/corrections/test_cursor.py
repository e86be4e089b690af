"""The place in a list of corrections, as text and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.corrections.reading import LAST_ID, START, WHOLE, Cursor

NUMBERS = st.integers(0, 10**9 - 1)


@pytest.mark.parametrize(
    ("cursor", "text"),
    [
        (START, "-1"),
        (Cursor(7), "7"),
        (Cursor(7, 12), "7.12"),
        (Cursor(7, WHOLE, 3050), "7.-1.3050"),
        (Cursor(7, 12, 3050), "7.12.3050"),
    ],
)
def test_it_is_as_short_as_it_can_be(cursor: Cursor, text: str) -> None:
    assert str(cursor) == text
    assert Cursor.parse(text) == cursor


@given(NUMBERS, st.just(WHOLE) | NUMBERS, st.just(LAST_ID) | st.integers(0, 10**18 - 1))
def test_it_comes_back_as_it_was_written(seq: int, tile: int, entry: int) -> None:
    assert Cursor.parse(str(Cursor(seq, tile, entry))) == (seq, tile, entry)


@pytest.mark.parametrize("text", ["", "x", "-2", "1.", "1.-2", "1.2.-1", "1.2.3.4", "1 ", "\uff11", "1" * 10])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be `after` of the page before"):
        Cursor.parse(text)
