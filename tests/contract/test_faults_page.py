"""Each row of docs/faults.md names a test that exists, and has a figure or says that nothing is waited for."""

import ast
import re
from pathlib import Path

import pytest

from tests.benchmarks.fault_table import TEST, FaultRow, fault_rows

ROOT = Path(__file__).parents[2]
ROWS = fault_rows()
NUMBER = re.compile(r"\d+\.\d s")


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) > 30
    assert len({row.fault for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault[:40])
def test_each_row_has_a_test_and_a_figure_or_none(row: FaultRow) -> None:
    named = TEST.fullmatch(row.test)
    assert named, f"{row.test} names no test"
    path, function = named.groups()
    assert function in functions_of(ROOT / path)
    assert not row.is_measured or NUMBER.fullmatch(row.recovery), "python -m tests.benchmarks.recovery --write"
