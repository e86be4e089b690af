"""Tiles a second of the pipeline, beside a plain loop over the same tiles.

    python -m tests.benchmarks.tiles_loop [FOLDER] [--edge 256] [--rounds 5]

Both decode with the same code, cut with the same code, fill batches of the same size, and use every processor: the loop
prepares tiles in threads while the model works on one batch. Rounds alternate, in one process with one classifier. The
third figure is the pipeline as a worker runs it: two runs at a time, whose calls of the model have a thread each.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

os.environ.setdefault("PILLOW_BLOCKS_MAX", "16")  # as the worker has it

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest, Runtime
from shared.tiles.grid import lay_grid
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from worker.inference.classifier import Classifier
from worker.inference.decode import inspect_file
from worker.inference.interpret import interpret
from worker.inference.limits import DEFAULT_LIMITS
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.pipeline import Item, Pipeline, TileCut
from worker.inference.preprocess import scaled_values
from worker.inference.runtime import default_batch, open_classifier
from worker.inference.tiles.cutter import tile_pixels
from worker.inference.tiles.light import is_learned, light_of
from worker.inference.tiles.picture import upright_pixels

AHEAD = 4  # batches
RUNS = 2  # slots of a worker
GOAL = 0.92
PROCESSORS = len(os.sched_getaffinity(0))
Tiles = NDArray[np.float32]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="default: a few full-size photographs")
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir())
    parser.add_argument("--runtime", type=Runtime, default=Runtime.AUTO)
    parser.add_argument("--edge", type=int, default=256)
    parser.add_argument("--photographs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    figures = Figures("tiles_loop", f"tiles of {asked.edge} pixels: the pipeline beside a plain loop")
    print(f"load average {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        if asked.folder is None:
            print(write_set("full", folder, asked.photographs))
        files = sorted(folder.iterdir())
        size = default_batch(asked.classifier, asked.runtime)
        several = open_classifier(asked.classifier, batch_size=size, runtime=asked.runtime)
        single = open_classifier(
            asked.classifier, batch_size=size, runtime=asked.runtime, threads=max(1, PROCESSORS // RUNS)
        )
        ways: dict[str, Callable[[], int]] = {
            "plain loop": lambda: sum(map(len, plain_loop(several, files, asked.edge))),
            "pipeline, one run": lambda: pipeline(several, [files], asked.edge),
            "pipeline, two runs": lambda: pipeline(single, [files[::2], files[1::2]], asked.edge),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for classifier in (several, single):
            classifier.warm_up()
        for _ in range(asked.rounds):
            for name, way in ways.items():
                began, used = time.perf_counter(), time.process_time()
                tiles = way()
                rates[name].append(tiles / (time.perf_counter() - began))
                costs[name].append((time.process_time() - used) / tiles * 1000)
    for name, values in rates.items():
        figures.add(name, values, "tiles/s")
        figures.add(f"{name}: processor", costs[name], "ms a tile")
    for name in list(ways)[1:]:
        ratios = [ours / loop for ours, loop in zip(rates[name], rates["plain loop"], strict=True)]
        figures.add(f"{name} beside the loop", ratios, goal=f"≥ {GOAL}")
    print(figures.keep())


def plain_loop(classifier: Classifier, files: Sequence[Path], edge: int) -> Iterator[list[str]]:
    """Yield the labels of each batch of tiles."""
    manifest, size = classifier.manifest, classifier.batch_size
    with ThreadPoolExecutor(PROCESSORS) as pool:
        tiles = _tiles(pool, files, edge, manifest)
        ahead: list[Future[Tiles]] = list(islice(tiles, AHEAD * size))
        while ahead:
            batch, ahead = ahead[:size], ahead[size:]
            pixels = np.stack([one.result() for one in batch])
            ahead += islice(tiles, size)
            yield [interpret(row, manifest).label for row in classifier.classify(pixels).rows]


def _tiles(pool: ThreadPoolExecutor, files: Sequence[Path], edge: int, manifest: Manifest) -> Iterator[Future[Tiles]]:
    """Yield tiles that are being cut; the next photograph is decoded meanwhile."""
    decoded = [pool.submit(_decoded, file) for file in files[:1]]
    for number in range(len(files)):
        pixels = decoded.pop().result()
        decoded += [pool.submit(_decoded, file) for file in files[number + 1 : number + 2]]
        height, width, _ = pixels.shape
        grid = lay_grid(width, height, edge)
        for tile in range(grid.tiles):
            yield pool.submit(_tile, pixels, grid.box(tile), manifest)


def _decoded(file: Path) -> NDArray[np.uint8]:
    data = file.read_bytes()
    return upright_pixels(data, structure=inspect_file(data, DEFAULT_LIMITS))


def _tile(pixels: NDArray[np.uint8], box: tuple[int, int, int, int], manifest: Manifest) -> Tiles:
    tile = tile_pixels(pixels, box, manifest)
    if manifest.tiling and manifest.tiling.light:
        is_learned(light_of(tile), manifest.tiling.light)
    return scaled_values(tile, manifest.preprocessing)


def pipeline(classifier: Classifier, parts: Sequence[Sequence[Path]], edge: int) -> int:
    """Answer for each part of the files in a run of its own, all at a time; return the number of tiles."""
    with (
        Pipeline(
            classifier,
            batch_size=classifier.batch_size,
            download_threads=8,
            decode_threads=PROCESSORS,
            bytes_in_flight=256 * 1024 * 1024,
        ) as shared,
        ThreadPoolExecutor(len(parts)) as pool,
    ):
        return sum(pool.map(lambda files: _run(shared, files, edge), parts))


def _run(shared: Pipeline, files: Sequence[Path], edge: int) -> int:
    items = [Item(seq, str(path), path.stat().st_size, tiles=TileCut(edge)) for seq, path in enumerate(files)]
    outcomes = shared.run(items, lambda item: Path(item.name).read_bytes())
    return sum(outcome.answer.map.grid.tiles for outcome in outcomes if outcome.answer is not None)


if __name__ == "__main__":
    main()
