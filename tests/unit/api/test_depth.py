"""The depth of JSON."""

import json

import pytest

from api.limits.request import depth_exceeds


@pytest.mark.parametrize("value", [1, "x" * 100, None, [], {}, [1, 2], {"a": 1, "b": [1]}, [[], [], {}]])
def test_what_is_flat_is_within_two(value: object) -> None:
    assert not depth_exceeds(value, 2)


@pytest.mark.parametrize("depth", [1, 2, 3, 50])
def test_the_limit_is_the_number_of_brackets_around_the_innermost(depth: int) -> None:
    value = json.loads("[" * depth + "]" * depth)
    assert not depth_exceeds(value, depth)
    assert depth_exceeds(value, depth - 1)


def test_the_deepest_branch_counts_wherever_it_stands() -> None:
    assert depth_exceeds({"a": 1, "b": [1, {"c": [{}]}], "d": {}}, 4)
    assert not depth_exceeds({"a": 1, "b": [1, {"c": [{}]}], "d": {}}, 5)
