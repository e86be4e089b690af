"""The trainings of this benchmark, each kept by its name: folds, folds of stated terms, and what is left out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.accuracy.data import INPUT_SIZE, Data
from tests.benchmarks.accuracy.folds import FOLDS, LEFT_OUT, hold_out, part_of_each
from tests.benchmarks.accuracy.groups import Indices
from tests.benchmarks.accuracy.judged import Judged
from tests.benchmarks.accuracy.recipe import Task, Trained, clear, pictures, train, train_heads
from worker.training.negatives import blurred, junk
from worker.training.plan import Schedule
from worker.training.store import Examples

JUNK = 500
BLURRED = 100
BACKBONE = "models/efficientnet-lite0-imagenet/features.keras"
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Trainings:
    """The data, where the numbers are kept, and the schedule; ``kept_only``: nothing is trained, and may be missing."""

    data: Data
    root: Path
    work: Path
    schedule: Schedule
    kept_only: bool = False

    def parts(self) -> Indices:
        """Return the fold of each picture."""
        return part_of_each(self.data.strata, self.data.groups.numbers, FOLDS, self.schedule.seed)

    def parts_of_tiles(self) -> Indices:
        """Return the fold of each tile of ground: flights whole."""
        place = self.data.grounds.place
        return part_of_each(np.zeros_like(place), place, FOLDS, self.schedule.seed)

    def fold(self, number: int, usable: Chosen, name: str) -> Judged | None:
        """Learn what is usable and not in this fold; judge the whole fold, usable or not."""
        part = self.parts() == number
        tiles = self.parts_of_tiles() == number
        task = self._task(f"{name}-fold-{number}", usable & ~part, tiles)
        return self._judged(task, part, tiles, lambda: self._trained(task))

    def without(self, group: str) -> Judged | None:
        """Learn everything but a group of crops, and judge it."""
        task, left_out = self._task_without(group)
        return self._judged(task, left_out, self._no_tiles(), lambda: self._trained(task))

    def without_crop(self, group: str, crop: str) -> Judged | None:
        """Learn heads for everything but one crop, on features that have not seen its group, and judge it."""
        if len(LEFT_OUT[group]) == 1:
            return self.without(group)
        left_out = self.data.of_crops((crop,))
        task = self._task(f"without-{group}-{crop}", ~left_out, self._no_tiles())
        return self._judged(task, left_out, self._no_tiles(), lambda: self._heads(task, group))

    def _heads(self, task: Task, group: str) -> Trained:
        self.without(group)
        finished, _ = self._task_without(group)
        return train_heads(task, finished.folder, _Printer(task.folder.name))

    def _trained(self, task: Task) -> Trained:
        return train(task, self.root / BACKBONE, _Printer(task.folder.name))

    def _task_without(self, group: str) -> tuple[Task, Chosen]:
        left_out = self.data.of_crops(LEFT_OUT[group])
        return self._task(f"without-{group}", ~left_out, self._no_tiles()), left_out

    def _judged(self, task: Task, judged: Chosen, tiles: Chosen, trained: Callable[[], Trained]) -> Judged | None:
        file = task.folder / "judged.npz"
        kept = Judged.kept(file, task.key)
        if kept is not None or self.kept_only:
            return kept
        clear()
        found = self._said(trained(), task.key, judged, tiles)
        found.keep(file)
        return found

    def _task(self, name: str, learned: Chosen, tiles: Chosen) -> Task:
        data = self.data
        chosen, held = hold_out(np.flatnonzero(learned), data.strata, data.groups.numbers, self.schedule.seed)
        folder = self.work / name
        return Task(
            data.examples, chosen, held, data.grounds.folder_without(tiles, folder / "grounds"), folder, self.schedule
        )

    def _said(self, trained: Trained, key: str, judged: Chosen, tiles: Chosen) -> Judged:
        rng = np.random.default_rng(20_000 + self.schedule.seed)
        sets = asked(self.data, np.flatnonzero(judged), np.flatnonzero(tiles), rng)
        said = {name: trained.say(*chosen) for name, chosen in sets.items() if len(chosen[1])}
        return Judged(
            {name: one.rows for name, one in said.items()},
            {name: one.crops for name, one in said.items()},
            np.array(trained.limits),
            tuple(trained.reasons),
            trained.threshold,
            key,
        )

    def _no_tiles(self) -> Chosen:
        return np.zeros(len(self.data.grounds.place), bool)


def asked(data: Data, leaves: Indices, tiles: Indices, rng: np.random.Generator) -> dict[str, tuple[Examples, Indices]]:
    """Return the pictures that a network is asked about: leaves, ground, junk made by chance, and blurred leaves."""
    some = rng.permutation(leaves)[:BLURRED]
    return {
        "leaves": (data.examples, leaves),
        "ground": (data.grounds.tiles, tiles),
        "junk": pictures([junk(INPUT_SIZE, rng) for _ in range(JUNK)]),
        "blurred": pictures([blurred(data.examples.pixels[index, 0], rng) for index in some]),
    }


class _Printer:
    """Says every hundred steps how far a training is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._begin = time.monotonic()

    def __call__(self, done: int, total: int, words: str) -> None:
        if done % 100 == 0 or done == total:
            seconds = time.monotonic() - self._begin
            print(f"  {self._name}: {done} of {total}, {words}, {seconds:.0f} s", flush=True)


def left_out_crops() -> Sequence[tuple[str, str]]:
    """Return (group, crop) for each crop."""
    return [(group, crop) for group, crops in LEFT_OUT.items() for crop in crops]
