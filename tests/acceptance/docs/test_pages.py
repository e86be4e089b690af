"""Every command of the manual was run, and printed what the manual shows."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.docs.conftest import ROOT
from tests.acceptance.docs.pages import RUN, expected, missing, run, unexplained

DOCS = ROOT / "docs"
PAGES = ("installation.md", "use.md", "maintenance.md")
TOOLS = ("curl", "jq")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reader works: a folder with the manual in it, as in a checkout."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"no `{tool}` on this machine: the commands of the manual are not run")
    folder = tmp_path_factory.mktemp("desk")
    (folder / "docs").symlink_to(DOCS, target_is_directory=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_run_or_says_why_not(name: str) -> None:
    assert unexplained(DOCS / name) == []


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_work_and_print_what_the_page_shows(name: str, desk: Path, reader: dict[str, str]) -> None:
    page = DOCS / name
    printed: dict[int, list[str]] = {}
    for language in RUN:
        printed |= run(page, language, desk, reader)
    wrong = {
        f"{name}, line {shown.line}": (line, printed[block.line])
        for block, shown in expected(page)
        if (line := missing(shown, printed[block.line])) is not None
    }
    assert wrong == {}
