"""No test depends on how fast the machine is: waits and their bounds come from ``tests/patience.py``."""

import ast
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
PATIENCE = ROOT / "tests" / "patience.py"
# Commands for a person who sits before them; they have bounds of their own.
COMMANDS = {"benchmarks", "chaos", "corpus", "fuzz", "hostile"}
WAITING = frozenset(
    ["as_completed", "communicate", "join", "result", "settimeout", "wait", "wait_for", "wait_procs", "wait_ready"]
)
# Below this a number is a short wait on purpose, for something that must not come meanwhile.
SHORT_SECONDS = 3


def bounds(tree: ast.Module) -> list[int]:
    """Find the lines on which a wait has a number of its own for its bound, as it is or by the name of a constant."""
    constants = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }

    def is_bound(node: ast.expr) -> bool:
        named = constants.get(node.id, node) if isinstance(node, ast.Name) else node
        return SHORT_SECONDS < _seconds(named) < PATIENCE_SECONDS

    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [each.value for each in node.keywords if each.arg == "timeout"]
            if name in WAITING and len(node.args) > (name == "wait_for"):
                given.append(node.args[-1])
            found += [each.lineno for each in given if is_bound(each)]
        elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Call):
            name = getattr(node.left.func, "attr", "")
            found += [node.lineno] if name == "monotonic" and is_bound(node.right) else []
    return found


def loops_that_sleep(tree: ast.Module) -> list[int]:
    """Find the loops that wait until something is true in a way of their own."""
    return [
        loop.lineno
        for loop in ast.walk(tree)
        if isinstance(loop, ast.While)
        and any(isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep" for node in ast.walk(loop))
    ]


def _seconds(node: ast.expr) -> float:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else 0


def test_what_must_come_is_waited_for_as_long_as_on_the_busiest_machine() -> None:
    lines = (
        "thread.join(10)",
        "run(x, timeout=30)",
        "end = time.monotonic() + 5",
        "x.wait(1)",
        "SOON = 9",
        "x.wait(SOON)",
    )
    assert bounds(ast.parse("\n".join(lines))) == [1, 2, 3, 6]
    assert found_by(bounds) == [], f"use PATIENCE_SECONDS ({PATIENCE_SECONDS:.0f} s) of tests/patience.py"


def test_one_function_waits_until_something_is_true() -> None:
    lines = ("while not x():", "    time.sleep(1)", "while x():", "    y()", "for _ in x:", "    time.sleep(1)")
    assert loops_that_sleep(ast.parse("\n".join(lines))) == [1]
    assert found_by(loops_that_sleep) == [], "use wait_for of tests/patience.py"


def found_by(search: Callable[[ast.Module], list[int]]) -> list[str]:
    """Search all tests; where something was found, by file and line."""
    return [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted((ROOT / "tests").rglob("*.py"))
        if not COMMANDS & set(file.relative_to(ROOT).parts) and file != PATIENCE
        for line in search(ast.parse(file.read_text(encoding="utf-8")))
    ]


def test_no_example_of_hypothesis_has_a_deadline() -> None:
    assert settings().deadline is None
    assert settings.get_profile("thorough").deadline is None
