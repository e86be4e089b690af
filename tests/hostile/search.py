"""A search for the file that costs most: by seconds, by memory, for its size."""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any

from tests.hostile.kinds import KINDS, MAX_FILE_BYTES
from tests.hostile.recipe import Kind, Recipe, changed, drawn

ROOT = Path(__file__).parents[2]
KEPT = 12  # recipes of a kind, by each of the costs, from which new ones are made
FRESH = 0.2  # of the recipes are not made from another one
MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one file. Times in seconds, ``memory`` in bytes above the idle process."""

    name: str
    size: int
    seconds: float
    processor_seconds: float
    memory: int
    outcome: str

    def __str__(self) -> str:
        return (
            f"{self.processor_seconds:6.2f} s of a processor, {self.seconds:6.2f} s, "
            f"{self.memory / MEBIBYTE:6.0f} MiB, {self.size / 1000:8.0f} kB, {self.outcome}: {self.name}"
        )


BY: tuple[Callable[[Cost], float], ...] = (
    lambda cost: cost.processor_seconds,
    lambda cost: cost.seconds,
    lambda cost: cost.memory,
    lambda cost: cost.processor_seconds / (cost.size + 10_000),
)


@dataclass(slots=True)
class Found:
    """Everything that a search has found until now."""

    kept: list[tuple[Recipe, Cost]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    files: int = 0

    def take(self, recipe: Recipe, cost: Cost) -> None:
        """Count a file, and keep its recipe where it costs more than others of its kind."""
        self.files += 1
        self.outcomes[cost.outcome] += 1
        of_kind = [one for one in self.kept if one[0].kind is recipe.kind] + [(recipe, cost)]
        best: dict[int, tuple[Recipe, Cost]] = {}
        for by in BY:
            by_cost = sorted(((by(one[1]), id(one), one) for one in of_kind), reverse=True)
            best.update((number, one) for _, number, one in by_cost[:KEPT])
        self.kept = [one for one in self.kept if one[0].kind is not recipe.kind] + list(best.values())

    def parents(self, kind: Kind) -> list[Recipe]:
        """The recipes of a kind that were kept."""
        return [recipe for recipe, _ in self.kept if recipe.kind is kind]

    @property
    def costs(self) -> list[Cost]:
        """Costs of the files that were kept."""
        return [cost for _, cost in self.kept]

    def worst(self, by: Callable[[Cost], float]) -> Cost:
        """The file that costs most."""
        return max(self.costs, key=by)


class Subject:
    """The process that is tried."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._file = folder / "hostile"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.subject", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def cost(self, name: str, *files: bytes) -> Cost:
        """Have it read a file, or several at the same time.

        Raises:
            AssertionError: the process ended.
        """
        paths = [self._file.with_suffix(f".{number}") for number in range(len(files))]
        for path, data in zip(paths, files, strict=True):
            path.write_bytes(data)
        self._stream(self._process.stdin).write("\t".join(map(str, paths)) + "\n")
        self._stream(self._process.stdin).flush()
        said = self._read()
        return Cost(
            name, sum(map(len, files)), said["seconds"], said["processor_seconds"], said["bytes"], said["outcome"]
        )

    def close(self) -> None:
        """End it."""
        self._stream(self._process.stdin).close()
        self._process.wait()
        self._stream(self._process.stdout).close()

    def _read(self) -> dict[str, Any]:
        line = self._stream(self._process.stdout).readline()
        if not line:
            raise AssertionError(f"the pipeline ended, status {self._process.wait()}; the file is {self._file}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @staticmethod
    def _stream(stream: IO[str] | None) -> IO[str]:
        assert stream is not None
        return stream


@contextmanager
def subject(*options: str) -> Iterator[Subject]:
    """A process that reads files, until the end of the block; ``options`` are those of its command."""
    with tempfile.TemporaryDirectory(prefix="phytobatch-hostile-") as folder:
        process = Subject(Path(folder), *options)
        try:
            yield process
        finally:
            process.close()


def search(tried: Subject, *, seconds: float, seed: int, files: int | None = None) -> Iterator[tuple[Cost, Found]]:
    """Try recipes until the time is over; yields each file's cost with all that was found until then."""
    chance, found = Random(seed), Found()  # noqa: S311  # the same files each time
    end = time.monotonic() + seconds
    while time.monotonic() < end and (files is None or found.files < files):
        kind = chance.choice(KINDS)
        parents = found.parents(kind)
        fresh = not parents or chance.random() < FRESH
        recipe = drawn(kind, chance) if fresh else changed(chance.choice(parents), chance)
        data = recipe.build()
        if not data or len(data) > MAX_FILE_BYTES:
            continue
        cost = tried.cost(str(recipe), data)
        found.take(recipe, cost)
        yield cost, found
