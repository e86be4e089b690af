"""The table of docs/faults.md: read, and written again with what was measured."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
COLUMNS = 5
HEAD = "| fault |"


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One row. ``recovery`` is ``no wait`` where the test measures nothing, and may be empty otherwise."""

    fault: str
    seen: str
    bound: str
    test: str
    recovery: str

    @property
    def node(self) -> str:
        """The name of the test as pytest takes it."""
        return self.test.strip("`")

    @property
    def is_measured(self) -> bool:
        """True if the test writes its recovery down."""
        return self.recovery != "no wait"

    def measured(self, seconds: float) -> "FaultRow":
        """The row with another recovery."""
        return replace(self, recovery=f"{seconds:.1f} s")

    def __str__(self) -> str:
        return f"| {self.fault} | {self.seen} | {self.bound} | {self.test} | {self.recovery} |"


def fault_rows() -> list[FaultRow]:
    """Every row of the page.

    Raises:
        ValueError: a row has another number of columns.
    """
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = []
    for line in table[table.index(next(line for line in table if line.startswith(HEAD))) + 1 :]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != COLUMNS:
            raise ValueError(f"a row of {PAGE.name} has {len(cells)} columns: {line}")
        rows.append(FaultRow(*cells))
    return rows
