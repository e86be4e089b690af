"""Every operator command that a page shows is one that the programs take, with these options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.admin import program as admin
from deploy.backup import __main__ as backup

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in [*(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md"), ROOT / "README.md"]
)
# To the end of the line or of the code, of the pipe or the substitution, or to a comment.
SHOWN = re.compile(r"python3? -m (api\.admin|deploy\.backup) ([a-z][^`|>;&)#\n]*)")
PARSERS = {"api.admin": admin._parser, "deploy.backup": backup._parser}
# What stands for a value of the reader's: a word in capitals, or a variable of the shell.
PLACEHOLDER = re.compile(r"[A-Z]+|\$.*")
AN_ID = "0190a0c0-0000-7000-8000-000000000000"


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Program and arguments, with a value for each placeholder."""
    for found in SHOWN.finditer(page.read_text(encoding="utf-8")):
        text = found[2].strip()
        words = shlex.split(text if text.count('"') % 2 == 0 else text.rstrip('"'))
        yield found[1], [AN_ID if PLACEHOLDER.fullmatch(word) else word for word in words]


def known(program: str) -> set[str]:
    return {one.name for one in admin.COMMANDS} if program == "api.admin" else set(backup.ACTIONS)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_on_a_page_is_taken_by_its_program(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for program, (command, *arguments) in commands(ROOT / name):
        assert command in known(program), name
        if not arguments or "…" in arguments:
            continue  # Only named, or left for the reader to complete.
        try:
            PARSERS[program]().parse_args([command, *arguments])
        except SystemExit:
            pytest.fail(f"{name}: {command} {shlex.join(arguments)}\n{capsys.readouterr().err}")


def test_the_pages_of_the_operator_name_every_command() -> None:
    pages = "".join(
        (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("maintenance.md", "installation.md")
    )
    assert [one.name for one in admin.COMMANDS if not re.search(rf"\b{one.name}\b", pages)] == []
