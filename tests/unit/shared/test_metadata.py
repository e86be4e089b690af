"""Metadata is measured as it is stored, and read as it was sent."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from shared.contracts.metadata import bounded_json, read_stored, stored_size


@pytest.mark.parametrize("value", [{}, {"a": [1, 2.5, None, True, {"b": "ü🌿"}]}, {"x": "y" * 50}])
def test_json_that_can_be_stored(value: dict[str, object]) -> None:
    assert bounded_json(100)(value) is value


@pytest.mark.parametrize(
    "value",
    [
        {"a": math.nan},
        {"a": math.inf},
        {"a": "\0"},
        {"\0": 1},
        {"a": ["deep", {"b": "x\0y"}]},
        {"a": "\ud800"},
        {"a": "ü" * 60},
        {"a": 1e308},
        {"a": {"b": [1, 1e-100]}},
    ],
)
def test_json_that_cannot_be_stored(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        bounded_json(100)(value)


def test_a_backslash_before_u0000_is_only_text() -> None:
    assert bounded_json(100)({"a": "C:\\u0000"}) == {"a": "C:\\u0000"}


@pytest.mark.parametrize("number", [0.5, -0.25, 1e15, 1e16, 1e22, 1.5e-7, 1e308, 5e-324, -1.7976931348623157e308])
def test_a_number_counts_with_all_its_digits_and_comes_back_short(number: float) -> None:
    written = f"{Decimal(repr(number)):f}"  # as jsonb writes it
    assert stored_size({"a": number}) == len(f'{{"a": {written}}}')
    back = read_stored(f'{{"a": {written}}}')
    assert back == {"a": number}
    assert len(json.dumps(back)) <= 33


@pytest.mark.parametrize(
    "number", [123456789012345678, 123456789012345679, 2**63, 2**64 + 1, 10**20, 10**40 + 1, -(3**300)]
)
def test_an_integer_keeps_every_digit(number: int) -> None:
    back: Any = read_stored(json.dumps([number]))
    assert back == [number]
    assert type(back[0]) is int
