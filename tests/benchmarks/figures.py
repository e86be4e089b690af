"""Figures of a benchmark: printed at once, kept as JSON, and read again by ``tests.benchmarks.table``."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.benchmarks.machine import machine

FOLDER = Path(__file__).parents[2] / ".data" / "bench"  # ignored by git


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity: the median of its rounds, and how far they lie apart."""

    name: str
    unit: str
    median: float
    least: float
    most: float
    rounds: int
    goal: str | None = None

    def __str__(self) -> str:
        spread = f" ({number(self.least)} to {number(self.most)}, {self.rounds} rounds)" if self.rounds > 1 else ""
        goal = f"; goal {self.goal}" if self.goal else ""
        return f"{self.name}: {number(self.median)} {self.unit}".rstrip() + spread + goal


class Figures:
    """The figures of one benchmark."""

    def __init__(self, benchmark: str, what: str) -> None:
        """Print what is measured, on which machine, with which versions."""
        self._benchmark = benchmark
        self._what = what
        self._figures: list[Figure] = []
        print(f"# {what}\n{machine()}", flush=True)

    def add(self, name: str, values: float | Sequence[float], unit: str = "", *, goal: str | None = None) -> Figure:
        """Print and remember a figure.

        Args:
            name: what it is; the same in each run.
            values: one value, or one for each round.
            unit: of the values; empty for a ratio.
            goal: as issue or design state it, e.g. ``≥ 0.90``.
        """
        rounds = [float(values)] if isinstance(values, int | float) else [float(value) for value in values]
        figure = Figure(name, unit, median(rounds), min(rounds), max(rounds), len(rounds), goal)
        self._figures.append(figure)
        print(figure, flush=True)
        return figure

    def keep(self, folder: Path = FOLDER) -> Path:
        """Write everything to a file of this run; returns its path."""
        folder.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        path = folder / f"{self._benchmark}-{now:%Y%m%dT%H%M%SZ}.json"
        content = {
            "benchmark": self._benchmark,
            "command": command(),
            "what": self._what,
            "machine": machine(),
            "at": now.isoformat(timespec="seconds"),
            "figures": [asdict(figure) for figure in self._figures],
        }
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def command() -> str:
    """Return the command that started this benchmark, to be typed again."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name if spec else Path(sys.argv[0]).name
    return shlex.join(["python", "-m", module, *sys.argv[1:]])


def number(value: float) -> str:
    """Three significant digits, and whole numbers as they are."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
