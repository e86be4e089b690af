"""House rules that no linter knows."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from shared.version import VERSION

ROOT = Path(__file__).parents[2]
PROGRAMS = ("api", "client", "deploy", "shared", "worker")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
TOP_LEVEL = {
    # The user's.
    "api", "worker", "shared", "migrations", "deploy", "tests", "docker-compose.yml", "pyproject.toml",
    # Added by the design, and what every project has.
    "client", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
}  # fmt: skip
WRITES_STATE = re.compile(r"UPDATE\s+jobs\s+SET\s+(?:[^;\"]*,\s*)?state\s*=|\bjob\.state\s*=[^=]", re.IGNORECASE)
RELATIVE_CLAUSE = re.compile(r"(What|Whether|How|Who)\b")
# What a lock or a setting could call the place packages come from.
INDEX = re.compile(r"pypi\.|--(extra-)?index-url|--find-links|pythonhosted", re.IGNORECASE)


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def test_only_the_lifecycle_writes_the_state_of_a_job() -> None:
    """A smoke test of the text: it finds a careless UPDATE, not SQL that is put together at run time."""
    writers = {
        file.relative_to(ROOT).as_posix()
        for file in python_files(*PROGRAMS)
        if WRITES_STATE.search(file.read_text(encoding="utf-8"))
    }
    assert writers == {"shared/jobs/lifecycle.py"}


def test_no_module_is_a_drawer() -> None:
    assert [file for file in python_files(*PROGRAMS) if DRAWERS & {file.stem, file.parent.name}] == []


def docstrings(file: Path) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def test_no_docstring_begins_with_a_relative_clause() -> None:
    """It would be a riddle for a name; ruff's D401 asks the same of functions alone."""
    riddles = [text for file in python_files(*PROGRAMS) for text in docstrings(file) if RELATIVE_CLAUSE.match(text)]
    assert riddles == []


def test_nothing_new_lies_at_the_top() -> None:
    seen = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert seen - TOP_LEVEL == set()


def test_no_file_names_an_index_of_packages() -> None:
    for name in ("pyproject.toml", "client/pyproject.toml", "Makefile", "README.md", "CONTRIBUTING.md"):
        assert not INDEX.search((ROOT / name).read_text(encoding="utf-8")), name


def test_the_client_needs_two_packages() -> None:
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[<>=~; ]", requirement)[0] for requirement in project["dependencies"]}
    assert names == {"rich", "urllib3"}


def test_programs_and_client_have_one_version() -> None:
    for file in ("pyproject.toml", "client/pyproject.toml"):
        project = tomllib.loads((ROOT / file).read_text(encoding="utf-8"))["project"]
        assert project["version"] == VERSION, file


def test_the_client_carries_the_licence_of_the_project() -> None:
    assert (ROOT / "client" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
