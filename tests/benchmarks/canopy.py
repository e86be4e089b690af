"""A classifier of one's own for a canopy: what it reads of a second flight, by the number of corrected tiles.

Two made flights of other days (``tests/scenes/canopy.py``). Of the first, a person corrects some tiles, chosen by
chance, and leaves out what cannot be told; the folder for the training is written by the client's code. Nobody corrects
the second: its tiles are cut as the manifest of the new classifier says. Ten minutes of two cores.

    python -m tests.benchmarks.canopy --corrected 100 300 1000
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytobatch.corrections.folder import synchronise
from phytobatch.corrections.resources import Correction
from shared.contracts.manifest import Manifest, ReviewReason
from shared.geography.ground_resolution import edge_in_pixels
from shared.tiles.grid import Grid, lay_grid
from tests.scenes.canopy import PHOTOGRAPHS, SIZE, STATES, TileTruth, resolution_mm, truth_of_tile, write_flight
from worker.inference.runtime import open_classifier
from worker.inference.tiles.answer import TiledAnswer
from worker.inference.tiles.tile_cut import TileCut
from worker.training.plan import MIN_STEPS, Schedule, TrainingPlan
from worker.training.tiles import answer_in_tiles
from worker.training.train import train

JOB = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"
EDGE = 160  # pixels: 0.8 m, one or two plants of a row
BATCH = 32
SOIL = ReviewReason.NOT_A_LEAF.value
Truths = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Flight:
    """Photographs, and the state of each of their pixels."""

    photographs: Sequence[Path]
    truths: Sequence[Truths]

    def tiles(self, edge: int) -> Iterator[tuple[int, int, Grid, TileTruth]]:
        """Yield photograph, tile, grid and truth of every tile."""
        for number, truth in enumerate(self.truths):
            grid = lay_grid(truth.shape[1], truth.shape[0], edge)
            for tile in range(grid.tiles):
                left, top, right, bottom = grid.box(tile)
                yield number, tile, grid, truth_of_tile(truth[top:bottom, left:right])


@dataclass(frozen=True, slots=True)
class Read:
    """The answers for a flight beside the truth, one entry for each tile.

    ``truth`` and ``said`` index ``STATES``; ``counts``: the tile is in the shares.
    """

    photograph: NDArray[np.int64]
    truth: NDArray[np.int64]
    is_clear: NDArray[np.bool_]
    said: NDArray[np.int64]
    counts: NDArray[np.bool_]
    reasons: NDArray[np.str_]

    @property
    def is_canopy(self) -> NDArray[np.bool_]:
        """True for a tile of plants."""
        return np.asarray(self.truth > 0)

    def right(self) -> float:
        """Return the part of the counted tiles with plants that are right, where a person can tell."""
        of = self.counts & self.is_clear & self.is_canopy
        return float((self.said == self.truth)[of].mean())

    def counted(self) -> float:
        """Return the part of the tiles with plants that count."""
        return float(self.counts[self.is_canopy].mean())

    def soil_counted(self) -> float:
        """Return the part of the tiles of soil that count."""
        return float(self.counts[~self.is_canopy & self.is_clear].mean())

    def errors(self) -> tuple[float, float]:
        """Return the error of the diseased share: the mean over the photographs, without its sign; of the flight."""
        each = [self._error(self.photograph == number) for number in np.unique(self.photograph)]
        return float(np.mean(np.abs(each))), self._error(np.ones(len(self.truth), bool))

    def _error(self, of: NDArray[np.bool_]) -> float:
        said, truth = self.said[of & self.counts], self.truth[of & self.is_canopy]
        return float(np.mean(said > 1)) - float(np.mean(truth > 1)) if len(said) else float("nan")

    def reason(self, reason: str) -> float:
        """Return the part of the tiles with plants that do not count for this reason."""
        return float((self.reasons == reason)[self.is_canopy].mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.canopy", description=__doc__)
    parser.add_argument("--corrected", type=int, nargs="+", default=[100, 300, 1000], help="numbers of corrected tiles")
    parser.add_argument("--photographs", type=int, default=PHOTOGRAPHS, help="of each flight")
    parser.add_argument("--epochs", type=int, help="default: those of the training")
    parser.add_argument("--work", type=Path, help="folder for flights and classifiers; default: a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canopy-") as temporary:
        work = options.work or Path(temporary)
        first, second = (
            fly(work / name, seed=seed, photographs=options.photographs) for name, seed in (("first", 1), ("second", 2))
        )
        print_flight(second)
        print("\n| corrected | right, of counted | count | soil that counts | error per photograph | of the flight |")
        print("|---|---|---|---|---|---|")
        for number in options.corrected:
            out = work / f"canopy-{number}"
            begin = time.perf_counter()
            labels = correct(first, number, work / f"training-{number}")
            manifest = learn(work / f"training-{number}", out, version=str(number), epochs=options.epochs)
            seconds = time.perf_counter() - begin
            print_row(number, read(second, out, manifest))
            print_details(labels, manifest, seconds)


def fly(folder: Path, *, seed: int, photographs: int) -> Flight:
    """Make a flight."""
    paths, truths = [], []
    for path, scene in write_flight(folder, seed=seed, photographs=photographs):
        paths.append(path)
        truths.append(scene.truth)
    return Flight(paths, truths)


def correct(flight: Flight, number: int, folder: Path, *, seed: int = 1) -> Mapping[str, int]:
    """Correct tiles by chance, as a person who leaves out what cannot be told, and write the training folder."""
    tiles = [(at, tile, grid, truth) for at, tile, grid, truth in flight.tiles(EDGE) if truth.is_clear]
    chosen = np.random.default_rng(seed).permutation(len(tiles))[:number]
    mm = resolution_mm()
    corrections = [
        Correction(
            at + 1,
            flight.photographs[at].name,
            STATES[truth.state],
            tile=tile,
            box=grid.box(tile),
            ground_resolution_mm=mm,
        )
        for at, tile, grid, truth in (tiles[i] for i in chosen)
    ]

    def fetch(seq: int, part: Path) -> None:
        shutil.copyfile(flight.photographs[seq - 1], part)

    done = synchronise(JOB, corrections, folder, fetch)
    return done.labels


def learn(data: Path, out: Path, *, version: str, epochs: int | None) -> Manifest:
    """Train as ``python -m worker.training train`` does."""
    schedule = Schedule(epochs=epochs) if epochs else Schedule()
    steps = 0 if epochs else MIN_STEPS
    return train(TrainingPlan([data], out, "canopy", version, schedule=schedule, min_steps=steps, command="benchmark"))


def read(flight: Flight, classifier: Path, manifest: Manifest) -> Read:
    """Read a flight in the tiles that the classifier has learned."""
    rule = manifest.tiling
    if rule is None or rule.edge_mm is None:
        raise SystemExit("the classifier has learned no range of tiles")
    edge = edge_in_pixels(rule.edge_mm, resolution_mm(), SIZE) or rule.edge
    opened = open_classifier(classifier, batch_size=BATCH)
    opened.warm_up()
    answers: list[TiledAnswer] = answer_in_tiles(
        opened, [path.read_bytes() for path in flight.photographs], TileCut(edge)
    )
    tiles = [tile for answer in answers for tile in answer.map]
    truth = list(flight.tiles(edge))
    return Read(
        np.array([at for at, _, _, _ in truth]),
        np.array([one.state for _, _, _, one in truth]),
        np.array([one.is_clear for _, _, _, one in truth]),
        np.array([0 if tile.label is None else STATES.index(manifest.labels[tile.label]) for tile in tiles]),
        np.array([tile.counts for tile in tiles]),
        np.array([tile.review or "" for tile in tiles]),
    )


def print_flight(flight: Flight) -> None:
    """Print the truth of a flight."""
    states = np.array([truth.state for _, _, _, truth in flight.tiles(EDGE)])
    print(
        f"{len(flight.photographs)} photographs, {len(states)} tiles of {EDGE} pixels, {resolution_mm():.2f} mm a pixel"
    )
    shares = ", ".join(f"{name} {np.mean(states == number):.3f}" for number, name in enumerate(STATES))
    print(f"truth: {shares}; diseased, of the tiles with plants: {np.mean(states[states > 0] > 1):.3f}", flush=True)


def print_row(number: int, read: Read) -> None:
    """Print the figures of one classifier."""
    each, whole = read.errors()
    print(
        f"| {number:,} | {read.right():.3f} | {read.counted():.3f} | {read.soil_counted():.3f} | {each:.3f} | "
        f"{whole:+.3f} |"
    )
    reasons = sorted({*read.reasons.tolist()} - {""}, key=read.reason, reverse=True)
    print("  do not count: " + ", ".join(f"{reason} {read.reason(reason):.3f}" for reason in reasons))


def print_details(labels: Mapping[str, int], manifest: Manifest, seconds: float) -> None:
    """Print what the classifier has learned from, and what it says that it reads."""
    rule = manifest.tiling
    print(f"  {dict(sorted(labels.items()))}, trained in {seconds:.0f} s")
    print(f"  {rule.model_dump_json() if rule else None}", flush=True)


if __name__ == "__main__":
    main()
