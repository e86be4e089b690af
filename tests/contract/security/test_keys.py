"""How a key is compared: a thing that no measurement in a test could show."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILES = ("api/auth.py", "api/bootstrap.py")


def comparisons(path: str) -> list[ast.Compare]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and "digest" in ast.unparse(node)]


def test_digests_are_compared_in_constant_time() -> None:
    for path in FILES:
        assert "hmac.compare_digest(" in (ROOT / path).read_text(encoding="utf-8")
        # `row.digest if row is not None` is a question about the row; a digest itself stands in no `==`.
        assert [ast.unparse(one) for one in comparisons(path) if isinstance(one.ops[0], ast.Eq | ast.NotEq)] == []
