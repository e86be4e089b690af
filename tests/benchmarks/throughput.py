"""``python -m tests.benchmarks.throughput``: images per second of the system and of a plain loop, side by side.

The system runs from commit to completed with every result stored durably (fsync on). Floor and system alternate, so
that both meet the same machine. The cases are sizes of pictures, the preprocessing of the shipped classifier and that
of Keras (whole decoding, NEAREST; the same weights, whose answers then mean nothing), and both runtimes.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.servers import LocalServers
from phytobatch import ClassifierRef
from shared.contracts.manifest import MANIFEST_FILE, Decode, Preprocessing, ResizeFilter, Runtime
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from worker.inference.manifest import read_manifest, shipped_classifier_dir

# The defaults of production, not the short times of the tests.
PRODUCTION = {
    "PHYTOBATCH_LEASE_SECONDS": "60",
    "PHYTOBATCH_LEASE_RENEW_SECONDS": "15",
    "PHYTOBATCH_SWEEP_SECONDS": "10",
    "PHYTOBATCH_IDLE_LOOK_SECONDS": "3",
    "PHYTOBATCH_CHUNK_IMAGES": "64",
}
TOOK = "SELECT extract(epoch FROM finished_at - committed_at), succeeded FROM jobs WHERE id = %s"
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """A set of images, and what classifies it."""

    images: str
    count: int
    what: str
    exact: bool = False
    runtime: Runtime = Runtime.ONNX
    goal: str | None = None


CASES: Mapping[str, Case] = {
    "small": Case("small", 1000, "256 px", goal="≥ 0.75"),
    "2mp": Case("2mp", 500, "2 megapixels"),
    "full": Case("full", 500, "10.7 megapixels", goal="≥ 0.90"),
    "12mp": Case("12mp", 300, "12 megapixels"),
    "20mp": Case("20mp", 200, "20 megapixels"),
    "small-exact": Case("small", 1000, "256 px, decoded as Keras does", exact=True),
    "full-exact": Case("full", 300, "10.7 megapixels, decoded as Keras does", exact=True),
    "small-tensorflow": Case("small", 500, "256 px, TensorFlow", runtime=Runtime.TENSORFLOW),
    "full-tensorflow": Case("full", 300, "10.7 megapixels, TensorFlow", runtime=Runtime.TENSORFLOW),
}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=tuple(CASES), default=list(CASES))
    parser.add_argument("--images", type=int, help="images of each case, instead of its own number")
    parser.add_argument("--workers", type=int, default=1, help="worker processes, which share the machine")
    asked = parser.parse_args()
    figures = Figures("throughput", "throughput: from commit to completed, against a plain loop over local files")
    with production_system() as system:
        for name in asked.cases:
            measure(figures, system, CASES[name], asked.images or CASES[name].count, asked.rounds, asked.workers)
    print(figures.keep())


@contextmanager
def production_system() -> Iterator[System]:
    """Real servers with fsync, API and beat, with the times of production; workers are started by the benchmark."""
    with (
        tempfile.TemporaryDirectory(prefix="phytobatch-bench-") as temporary,
        LocalServers.temporary(fast=False) as servers,
    ):
        system = System(servers, Path(temporary), **PRODUCTION)
        try:
            system.prepare()
            system.start_api()
            system.start_beat()
            yield system
        finally:
            system.stop()


def measure(figures: Figures, system: System, case: Case, count: int, rounds: int, workers: int) -> None:
    """Alternate floor and system; print medians and the ratio of each round."""
    folder = system.folder / f"{case.images}-{count}"
    if not folder.exists():
        print(f"\n## {case.images}: {write_set(case.images, folder, count)}", flush=True)
    files = sorted(folder.iterdir())
    classifier = exact_classifier(system.folder) if case.exact else shipped_classifier_dir()
    floors, systems = [], []
    for number in range(rounds):
        floors.append(plain_loop(folder, classifier, case.runtime))
        with started(system, workers, classifier, case.runtime):
            systems.append(through_the_system(system, files, classifier))
        print(f"round {number + 1}: floor {floors[-1]:.1f} images/s, system {systems[-1]:.1f} images/s", flush=True)
    figures.add(f"{case.what}: floor", floors, "images/s")
    figures.add(f"{case.what}: system", systems, "images/s")
    ratios = [system / floor for system, floor in zip(systems, floors, strict=True)]
    figures.add(f"{case.what}: system / floor", ratios, goal=case.goal)


@contextmanager
def started(system: System, workers: int, classifier: Path, runtime: Runtime) -> Iterator[None]:
    """Workers that are ready; they end with the context."""
    settings = {"PHYTOBATCH_CLASSIFIER_DIR": str(classifier), "PHYTOBATCH_RUNTIME": str(runtime)}
    running = [system.start_worker(**settings) for _ in range(workers)]
    try:
        yield
    finally:
        for worker in running:
            worker.send(signal.SIGTERM)
        for worker in running:
            worker.stop()
            system.children.remove(worker)


def exact_classifier(folder: Path) -> Path:
    """The shipped weights behind the preprocessing of ``keras.utils.load_img``; for its cost, not for its answers."""
    copy = folder / "exact"
    if not copy.exists():
        shutil.copytree(shipped_classifier_dir(), copy)
        shipped = read_manifest(copy)
        as_keras = Preprocessing(
            decode=Decode.FULL,
            resize=ResizeFilter.NEAREST,
            scale=shipped.preprocessing.scale,
            offset=shipped.preprocessing.offset,
            exif_orientation=False,
        )
        manifest = shipped.model_copy(update={"name": "leaf-exact", "preprocessing": as_keras})
        (copy / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json")), encoding="utf-8")
    return copy


def plain_loop(folder: Path, classifier: Path, runtime: Runtime) -> float:
    """The floor, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.plain_loop", str(folder)]
    command += ["--classifier", str(classifier), "--runtime", runtime]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def through_the_system(system: System, files: Sequence[Path], classifier: Path) -> float:
    """Images per second from commit to completed, by the clock of the database."""
    manifest = read_manifest(classifier)
    job_id = system.submit(list(files), classifier=ClassifierRef(manifest.name, manifest.version))
    with system.sql() as sql:
        # One row by its key, five times a second: a client that polls would take processor from what is measured.
        while (row := sql.execute(TOOK, [job_id]).fetchone()) is None or row[0] is None:
            time.sleep(POLL_SECONDS)
    succeeded, seconds = int(row[1]), float(row[0])
    if succeeded != len(files):
        raise SystemExit(f"{succeeded} of {len(files)} images succeeded")
    return len(files) / seconds


if __name__ == "__main__":
    main()
