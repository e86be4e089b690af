"""All times of the work are the database's: no clock of a program reaches a statement about jobs and chunks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("shared/jobs", "worker/leasing", "worker/jobs", "worker/loop")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
# time.monotonic() measures how long something takes within a process; it knows no date.
CLOCKS = re.compile(r"datetime\.(now|utcnow|today)\(|time\.(time|time_ns|localtime|gmtime)\(|date\.today\(")


def test_there_is_something_to_look_at() -> None:
    assert {file.name for file in FILES} >= {
        "claims.py",
        "sweep.py",
        "lifecycle.py",
        "leases.py",
        "validate.py",
        "work.py",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_program_asks_its_own_clock(file: Path) -> None:
    assert CLOCKS.findall(file.read_text(encoding="utf-8")) == []
