import re
from pathlib import Path

import pytest

from deploy.local.errors import FolderRefused
from deploy.local.state import StackState, new_api_key, new_secret


def test_an_api_key_has_the_agreed_form() -> None:
    assert re.fullmatch(r"pb_[a-z0-9]{12}_[A-Za-z0-9]{43}", new_api_key())


def test_secrets_differ_and_need_no_quoting() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", secret) for secret in made)


def test_a_secret_is_made_once_and_remembered(tmp_path: Path) -> None:
    first = StackState(tmp_path / "secrets.json").secret("database")
    assert StackState(tmp_path / "secrets.json").secret("database") == first


def test_the_file_is_private_even_if_an_open_one_lay_in_its_way(tmp_path: Path) -> None:
    (tmp_path / "secrets.new").write_text("", encoding="utf-8")
    (tmp_path / "secrets.new").chmod(0o666)
    StackState(tmp_path / "secrets.json").secret("database")
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_port_is_kept_while_it_is_usable_and_replaced_when_not(tmp_path: Path) -> None:
    state = StackState(tmp_path / "secrets.json")
    assert state.port("broker", lambda: 12_345, lambda _: True) == 12_345
    assert StackState(state.path).port("broker", lambda: 12_346, lambda _: True) == 12_345
    assert StackState(state.path).port("broker", lambda: 12_346, lambda port: port != 12_345) == 12_346
    assert StackState(state.path).port("broker", lambda: 12_347, lambda _: True) == 12_346


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ports": 3}'])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FolderRefused, match=r"secrets\.json"):
        StackState(path)
    assert path.read_text(encoding="utf-8") == text
