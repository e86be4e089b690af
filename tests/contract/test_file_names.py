"""Import, training, inference and `phytobatch submit` pass over the same files; the client cannot import the rule."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _rule(path: str) -> list[str]:
    """Return the statements of a module behind its docstring and its imports (older Pythons need one more)."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body[1:]
    return [ast.dump(statement) for statement in body if not isinstance(statement, ast.ImportFrom)]


def test_the_client_and_the_server_have_one_rule_of_names() -> None:
    assert _rule("client/phytobatch/files/file_names.py") == _rule("shared/contracts/file_names.py")
