import hashlib

import pytest

from shared.access import keys
from shared.contracts.states import Scope
from shared.errors import InvalidRequest


def test_a_generated_key_is_one() -> None:
    key = keys.generate()
    parsed = keys.parse(key.text)
    assert parsed == key
    assert key.text == f"pb_{key.prefix}_{key.text[-43:]}"
    assert key.digest == hashlib.sha256(key.text.encode()).digest()


def test_keys_do_not_repeat_and_do_not_show_in_logs() -> None:
    made = [keys.generate() for _ in range(100)]
    assert len({key.text for key in made}) == len({key.prefix for key in made}) == 100
    assert made[0].text not in repr(made[0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pb_",
        f"pb_{'a' * 12}_{'A' * 42}",
        f"pb_{'a' * 12}_{'A' * 44}",
        f"pb_{'A' * 12}_{'A' * 43}",
        f"pb_{'a' * 12}_{'-' * 43}",
        f"xx_{'a' * 12}_{'A' * 43}",
        f"pb_{'a' * 12}_{'A' * 43}\n",
        f"pb_{'a' * 12}_{'é' * 43}",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert keys.parse(text) is None


def test_scopes_are_read_as_operators_write_them() -> None:
    assert keys.parse_scopes("submit, read,submit") == [Scope.SUBMIT, Scope.READ]


@pytest.mark.parametrize("text", ["", ",", "write", "read,write", "READ"])
def test_words_that_are_no_scopes_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="admin, read, submit"):
        keys.parse_scopes(text)
