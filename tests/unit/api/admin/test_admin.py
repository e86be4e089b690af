import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.admin.classifiers import shipped_folders
from api.admin.program import COMMANDS, main


def test_every_command_is_named_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    for command in COMMANDS:
        assert command.name in said
        assert command.help
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_help_is_for_users_and_not_for_programmers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    said = capsys.readouterr().out
    assert not re.search(r"\b(Raises|Returns|Args):|``", said)
    assert len(said.split("\n\n")[1]) > 10, "it says what it does"


def test_a_generated_key_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate-key"]) == 0
    assert re.fullmatch(r"pb_[a-z0-9]{12}_[A-Za-z0-9]{43}\n", capsys.readouterr().out)


def test_shipped_classifiers_have_their_files() -> None:
    for folder in shipped_folders():
        assert (folder / "manifest.json").is_file()
        assert folder.parent.name == "classifiers"


@pytest.mark.slow
def test_the_api_starts_without_what_only_workers_need() -> None:
    program = (
        "import sys, api.admin.program, api.main, api.__main__; "
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'PIL', 'worker') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[4], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
