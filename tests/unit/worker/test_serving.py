"""The classifiers that a worker serves."""

import pytest

from shared.classifiers.named import parse_classifiers
from shared.errors import ConfigurationError


def test_a_list_of_classifiers_is_read() -> None:
    assert parse_classifiers("") == []
    assert parse_classifiers(" leaf@1, leaf@2 ,") == [("leaf", "1"), ("leaf", "2")]


@pytest.mark.parametrize("text", ["leaf", "leaf@", "@1", "leaf@1,leaf@1"])
def test_a_list_that_makes_no_sense_names_its_variable(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_CLASSIFIERS"):
        parse_classifiers(text)
