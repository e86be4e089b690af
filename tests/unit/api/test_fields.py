import math

import pytest

from api.fields import bounded_json, classifier_ref, no_nul


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
    ],
)
def test_json_that_cannot_be_stored(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        bounded_json(100)(value)


def test_a_backslash_before_u0000_is_only_text() -> None:
    assert bounded_json(100)({"a": "C:\\u0000"}) == {"a": "C:\\u0000"}


def test_nul_is_the_only_character_refused() -> None:
    assert no_nul("\t\n\x01🌿") == "\t\n\x01🌿"
    with pytest.raises(ValueError, match=r"U\+0000"):
        no_nul("a\0")


def test_classifiers_are_named_with_or_without_a_version() -> None:
    assert classifier_ref("leaf").model_dump() == {"name": "leaf", "version": None}
    assert classifier_ref("leaf@1.2").model_dump() == {"name": "leaf", "version": "1.2"}
