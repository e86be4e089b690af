"""``python -m tests.benchmarks.recovery``: run the fault tests, and print the table of docs/faults.md as measured.

``--write`` puts it into the page.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.fault_table import PAGE, ROOT, fault_rows
from tests.benchmarks.figures import Figures


def main() -> None:
    """Run, print, keep, and write if asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/faults.md")
    parser.add_argument("--only", default="", help="a part of the names of tests; the other rows keep their figures")
    asked = parser.parse_args()
    rows = fault_rows()
    asked_for = [row.node for row in rows if row.is_measured and asked.only in row.node]
    if not asked_for:
        parser.error(f"no measured row has a test with {asked.only!r} in its name")
    figures = Figures("recovery", "from a fault to the next answer, with the short times of the tests")
    seconds = run(asked_for)
    for row in rows:
        if row.node in seconds:
            figures.add(row.fault, seconds[row.node], "s")
    print(figures.keep(), end="\n\n")
    measured = [row.measured(seconds[row.node]) if row.node in seconds else row for row in rows]
    for row in measured:
        print(row)
    if asked.write:
        page = PAGE.read_text(encoding="utf-8")
        for old, new in zip(rows, measured, strict=True):
            page = page.replace(str(old).replace("|  |", "| |"), str(new))
        PAGE.write_text(page, encoding="utf-8")


def run(nodes: list[str]) -> dict[str, float]:
    """The recovery of each test, in seconds: the longest where it has several."""
    with tempfile.TemporaryDirectory(prefix="phytobatch-recovery-") as folder:
        file = Path(folder) / "recovery.jsonl"
        environment = {**os.environ, "PHYTOBATCH_RECOVERY_FILE": str(file)}
        command = [sys.executable, "-m", "pytest", "-q", *nodes]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            raise SystemExit("a fault test failed; there is no table")
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    found: dict[str, float] = {}
    for line in lines:
        found[line["test"]] = max(line["seconds"], found.get(line["test"], 0.0))
    return found


if __name__ == "__main__":
    main()
