"""Memory of a pipeline during many large photographs in tiles, and during one very large one.

    python -m tests.benchmarks.tiles_memory [--photographs 100] [--real 2]

A hundred photographs of 48 megapixels have 97,000 tiles of 224 pixels, hours for the shipped network on two processors,
and memory does not depend on what the network says. So they go through a classifier that answers from the mean of the
pixels; the shipped one takes a few photographs (``--real``). Then one photograph of 200 megapixels, with the limits
that an operator raises for it: pixels, tiles, and the memory of a process, where it is decoded.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("PILLOW_BLOCKS_MAX", "16")  # as the worker has it

import numpy as np
import psutil
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from worker.inference.classifier import Classifier, GpuMemory, Outputs
from worker.inference.isolation import IsolatedPool, IsolationLimits
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.pipeline import Item, Outcome, Pipeline, TileCut
from worker.inference.runtime import open_classifier
from worker.inference.tiles.picture import decoded_bytes
from worker.inference.tiles.room import DecodedRoom

MEBIBYTE = 1024 * 1024
DIFFERENT = 4
LARGE, HUGE = (8000, 6000), (20_000, 10_000)
EDGE = 224
BATCH = 8
ROOM = 512 * MEBIBYTE
HUGE_LIMITS = PictureLimits(pixels=HUGE[0] * HUGE[1], tiles=5000)
SAMPLE_SECONDS = 0.05
# Writes a photograph in another size, in a process of its own whose memory does not count here.
ENLARGE = (
    "import sys; from PIL import Image; Image.MAX_IMAGE_PIXELS = None\n"
    "source, target, width, height = sys.argv[1:]\n"
    "picture = Image.open(source).convert('RGB').resize((int(width), int(height)), Image.Resampling.BICUBIC)\n"
    "picture.save(target, 'JPEG', quality=88)\n"
)


class MeanClassifier:
    """Keeps the Protocol of a classifier: its probabilities follow the mean colour of a tile."""

    runtime = "numpy"
    batch_size = BATCH

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def warm_up(self) -> None:
        """Do nothing."""

    def gpu_memory(self) -> Sequence[GpuMemory]:
        """List nothing."""
        return ()

    def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:  # noqa: ARG002  # it has none
        """Answer from every pixel."""
        rows = np.zeros((len(batch), self.manifest.row_length), np.float32)
        powers = np.exp(batch.mean(axis=(1, 2)))
        rows[:, :3] = powers / powers.sum(axis=1, keepdims=True)
        return Outputs(rows)


class Memory:
    """Samples of this process and its children, in MiB: what each has for itself, and its part of what they share."""

    def __init__(self) -> None:
        self.own, self.children = [_rss()], [0.0]
        self._done = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Sample within the block."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(SAMPLE_SECONDS):
            self.own.append(_rss())
            self.children.append(sum(map(_pss, me.children())))


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=100)
    parser.add_argument("--real", type=int, default=2)
    asked = parser.parse_args()
    figures = Figures("tiles_memory", f"memory of a pipeline during photographs in tiles of {EDGE} pixels")
    print(f"load average {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    manifest = read_manifest(shipped_classifier_dir())
    with tempfile.TemporaryDirectory() as made:
        large, huge = _pictures(Path(made))
        many = list(itertools.islice(itertools.cycle(large), asked.photographs))
        _flight(figures, f"{len(many)} photographs of 48 megapixels", MeanClassifier(manifest), many)
        if asked.real:
            shipped = open_classifier(shipped_classifier_dir(), batch_size=BATCH)
            _flight(figures, f"{asked.real} of them, the shipped classifier", shipped, many[: asked.real])
        _one(figures, MeanClassifier(manifest), huge)
    print(figures.keep())


def _pictures(folder: Path) -> tuple[list[Path], Path]:
    print(write_set("full", folder / "full", DIFFERENT))
    sources = sorted((folder / "full").iterdir())
    large = [folder / f"large_{number}.jpg" for number in range(DIFFERENT)]
    jobs = [*zip(sources, large, [LARGE] * DIFFERENT, strict=True), (sources[0], folder / "huge.jpg", HUGE)]
    for source, target, (width, height) in jobs:
        subprocess.run([sys.executable, "-c", ENLARGE, source, target, str(width), str(height)], check=True)
    sizes = ", ".join(f"{path.stat().st_size / 1e6:.1f}" for path in [*large, folder / "huge.jpg"])
    print(f"enlarged to {LARGE} and {HUGE}: {sizes} MB")
    return large, folder / "huge.jpg"


def _flight(figures: Figures, name: str, classifier: Classifier, files: Sequence[Path]) -> None:
    room, memory = DecodedRoom.of(ROOM), Memory()
    after: list[float] = []
    began = time.perf_counter()
    with _pipeline(classifier, DEFAULT_LIMITS, room) as pipeline, memory.watched():
        tiles = 0
        for outcome in _run(pipeline, files):
            tiles += _tiles(outcome)
            after.append(_rss())
    seconds = time.perf_counter() - began
    figures.add(f"{name}: tiles", tiles)
    figures.add(f"{name}: seconds", seconds)
    figures.add(f"{name}: memory before", memory.own[0], "MiB")
    quarter = max(1, len(after) // 4)
    for number, part in enumerate([after[i : i + quarter] for i in range(0, len(after), quarter)][:4], 1):
        figures.add(f"{name}: memory, quarter {number}", part, "MiB")
    figures.add(f"{name}: memory at the peak", max(memory.own), "MiB")
    figures.add(f"{name}: processes at the peak", max(memory.children), "MiB")


def _one(figures: Figures, classifier: Classifier, file: Path) -> None:
    name, memory = "one photograph of 200 megapixels", Memory()
    pixels = decoded_bytes(*HUGE)
    isolation = IsolationLimits(memory_bytes=2 * pixels, result_bytes=pixels, processor_seconds=60)
    pool = IsolatedPool(limits=isolation)
    with _pipeline(classifier, HUGE_LIMITS, DecodedRoom.of(ROOM), pool) as pipeline, memory.watched():
        figures.add(f"{name}: tiles", sum(_tiles(outcome) for outcome in _run(pipeline, [file])))
    figures.add(f"{name}: its pixels", pixels / MEBIBYTE, "MiB")
    figures.add(f"{name}: memory before", memory.own[0], "MiB")
    figures.add(f"{name}: memory at the peak", max(memory.own), "MiB")
    figures.add(f"{name}: its process at the peak", max(memory.children), "MiB")
    together = [own + children for own, children in zip(memory.own, memory.children, strict=True)]
    figures.add(f"{name}: both together at the peak", max(together), "MiB")


def _pipeline(
    classifier: Classifier, limits: PictureLimits, room: DecodedRoom, isolated: IsolatedPool | None = None
) -> Pipeline:
    return Pipeline(
        classifier,
        batch_size=BATCH,
        download_threads=8,
        decode_threads=len(os.sched_getaffinity(0)),
        bytes_in_flight=256 * MEBIBYTE,
        limits=limits,
        decoded_room=room,
        isolated=isolated,
    )


def _run(pipeline: Pipeline, files: Sequence[Path]) -> Iterator[Outcome]:
    items = [Item(seq, str(path), path.stat().st_size, tiles=TileCut(EDGE)) for seq, path in enumerate(files)]
    return pipeline.run(items, lambda item: Path(item.name).read_bytes())


def _tiles(outcome: Outcome) -> int:
    if outcome.answer is None:
        raise RuntimeError(outcome.error)
    return outcome.answer.map.grid.tiles


def _rss() -> float:
    return float(psutil.Process().memory_info().rss) / MEBIBYTE


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / MEBIBYTE
    except psutil.Error:
        return 0.0


if __name__ == "__main__":
    main()
