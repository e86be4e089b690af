"""What is imported, and when: `import phytobatch` costs a program nothing that it does not use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import phytobatch
from tests.patience import PATIENCE_SECONDS

PRINT = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def imported_by(code: str) -> set[str]:
    """Return the packages that a program has imported at its end."""
    command = [sys.executable, "-c", f"{code}\n{PRINT}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    return set(ended.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("import phytobatch", {"rich", "urllib3", "ssl", "http", "email", "jinja2", "PIL"}),
        ("from phytobatch import verify", {"rich", "urllib3", "jinja2", "PIL"}),
        ("from phytobatch import Phytobatch", {"rich", "jinja2", "PIL"}),
        ("from phytobatch.cli import main; main(['version', '--json'])", {"rich", "jinja2", "PIL"}),
    ],
)
def test_what_is_not_used_is_not_imported(code: str, never: set[str]) -> None:
    assert never & imported_by(code) == set()


def test_every_public_name_is_there_and_one_that_is_none_is_not() -> None:
    for name in phytobatch.__all__:
        assert getattr(phytobatch, name).__name__ == name
    assert set(phytobatch.__all__) <= set(dir(phytobatch))
    with pytest.raises(AttributeError, match="has no attribute 'Classify'"):
        phytobatch.Classify  # type: ignore[attr-defined]  # noqa: B018  # that is the point


def test_editors_and_programs_see_the_same_names() -> None:
    """The names stand twice: for type checkers as imports, for programs in a table."""
    tree = ast.parse(Path(phytobatch.__file__).read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {name.name: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == phytobatch._HOME_OF
    assert set(seen) == set(phytobatch.__all__)
