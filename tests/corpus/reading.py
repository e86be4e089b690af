"""Runs ``python -m tests.corpus`` and reads what it says."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LAST_WORDS = 2000
MEBIBYTE = 1024**2
# A picture at the pixel limit takes 60 million times 4 bytes, in its own mode and as RGB, and as much again where it
# is converted once more. What is left over afterwards would be a leak.
MAX_PEAK = 1024 * MEBIBYTE
MAX_LEFT = 128 * MEBIBYTE


@dataclass(slots=True)
class Report:
    """The outcome of a corpus. Sizes in bytes, times in seconds."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    files: int = 0
    slowest: float = 0.0
    slowest_file: str = ""
    rss_growth: int = 0
    peak_growth: int = 0
    last: str = ""

    def take(self, said: dict[str, Any]) -> None:
        """One line of the process."""
        if "format" in said:
            self.last = f"file {said['number']}: {said['format']}, {said['damage']}"
        elif "outcome" in said:
            self.files += 1
            kind = self.last.partition(": ")[2].partition(",")[0]
            self.outcomes.setdefault(kind, Counter())[said["outcome"]] += 1
            if said["seconds"] > self.slowest:
                self.slowest, self.slowest_file = said["seconds"], self.last
        else:
            self.rss_growth, self.peak_growth = said["rss_growth"], said["peak_growth"]


def read_corpus(files: int, *, seed: int = 1, seconds: float = 30.0) -> Report:
    """Let a process of its own read the corpus.

    Args:
        files: how many.
        seed: another seed, other files.
        seconds: bound of one file.

    Raises:
        AssertionError: the process crashed, hung, raised something that is no ``ImageError``, or grew; with the file.
    """
    command = [sys.executable, "-m", "tests.corpus", "--files", str(files), "--seed", str(seed)]
    command += ["--seconds", str(seconds)]
    report = Report()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, errors="replace")
    for line in done.stdout.splitlines():
        report.take(json.loads(line))
    if done.returncode:
        raise AssertionError(f"status {done.returncode} at {report.last}\n{done.stderr[-LAST_WORDS:]}")
    for what, grown, bound in (("peak", report.peak_growth, MAX_PEAK), ("at the end", report.rss_growth, MAX_LEFT)):
        if grown > bound:
            raise AssertionError(
                f"memory grew by {grown / MEBIBYTE:.0f} MiB ({what}), more than {bound / MEBIBYTE:.0f}"
            )
    return report
