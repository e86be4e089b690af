"""The command that makes the secrets of docker compose."""

import re
import stat
from pathlib import Path

import pytest

from deploy.compose.__main__ import main
from deploy.compose.secrets import EXAMPLE, fill
from shared.access import keys
from shared.settings import EXAMPLE_SECRET

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / ".env.example").read_text(encoding="utf-8")


def values(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def test_every_example_secret_becomes_one_of_its_own_and_nothing_else_changes() -> None:
    before, after = values(TEXT), values(fill(TEXT))
    made = {name for name, value in before.items() if value == EXAMPLE_SECRET}
    assert made == set(EXAMPLE.findall(TEXT))
    assert {name for name in before if before[name] != after[name]} == made
    assert len({after[name] for name in made}) == len(made)
    assert EXAMPLE_SECRET not in "".join(after.values())


def test_secrets_need_no_quoting_in_urls_and_configuration_files() -> None:
    made = values(fill(TEXT))
    for name in EXAMPLE.findall(TEXT):
        assert re.fullmatch(r"[A-Za-z0-9_]{32,}", made[name]), name


def test_the_first_api_key_is_one_that_the_api_takes() -> None:
    assert keys.parse(values(fill(TEXT))["PHYTOBATCH_BOOTSTRAP_API_KEY"]) is not None


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    target = tmp_path / ".env"
    assert main(["--out", str(target)]) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / ".env"
    target.write_text("mine")
    assert main(["--out", str(target)]) == 1
    assert target.read_text() == "mine"
    assert "stays as it is" in capsys.readouterr().err
