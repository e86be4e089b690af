"""Each row of docs/faults.md names a test that exists; a row with a figure names one that measures it."""

import ast
import re
from pathlib import Path

import pytest

from tests.benchmarks.fault_table import TEST, FaultRow, fault_rows

ROOT = Path(__file__).parents[2]
ROWS = fault_rows()
NUMBER = re.compile(r"\d+\.\d s")


def named_test(row: FaultRow) -> str:
    """The source of the test that the row names."""
    named = TEST.fullmatch(row.test)
    assert named, f"{row.fault}: {row.test} names no test"
    path, function = named.groups()
    source = (ROOT / path).read_text(encoding="utf-8")
    found = [one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == function]
    assert found, f"{row.fault}: there is no {function} in {path}"
    return ast.get_source_segment(source, found[0]) or ""


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) > 30
    assert len({row.fault for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault[:40])
def test_each_row_has_a_test_and_a_figure_or_none(row: FaultRow) -> None:
    assert ("recovers(" in named_test(row)) == row.is_measured
    assert not row.is_measured or NUMBER.fullmatch(row.recovery), "python -m tests.benchmarks.recovery --write"
