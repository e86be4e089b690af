"""``python -m tests.benchmarks.original``: the system beside the code path of the service that it replaces.

The original takes one photograph at a time through ``keras.utils.load_img`` and ``model.predict``. Both are measured in
turns on the same full-size photographs, with two classifiers: the original's own, which the system serves with exactly
its pixels, and the shipped one, which the system serves as it is shipped (the decoder scales).
"""

import argparse
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from shared.contracts.manifest import MODEL_FILE, Manifest
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import REAL, write_set
from tests.benchmarks.throughput import production_system, through_the_system
from worker.inference.manifest import read_manifest, shipped_classifier_dir

ORIGINAL = REAL / "models" / "original-cnn" / "model.joblib"
CLASSES = "saludable,powdery,rush"
LOOP = Path(__file__).with_name("original_loop.py")


@dataclass(frozen=True, slots=True)
class Case:
    """A classifier, and what the system should reach with it."""

    what: str
    folder: Path
    goal: str

    @property
    def manifest(self) -> Manifest:
        """Of the classifier."""
        return read_manifest(self.folder)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=500, help="through the system; the original gets a fifth of them")
    asked = parser.parse_args()
    figures = Figures("original", "original: the system beside the code path of the original service, full-size images")
    with production_system() as system:
        print(f"## {write_set('full', system.folder / 'full', asked.images)}", flush=True)
        write_set("full", system.folder / "few", max(1, asked.images // 5))
        for case in cases(system.folder):
            _measure(figures, system, case, asked.rounds)
    print(figures.keep())


def cases(folder: Path) -> list[Case]:
    """The shipped classifier, and the original one where it is."""
    found = [Case("shipped classifier", shipped_classifier_dir(), "≥ 7")]
    if ORIGINAL.is_file():
        return [Case("original classifier, same pixels", _imported(folder / "original-cnn"), "≥ 6"), *found]
    print(f"the original classifier is not measured, because it is not at {ORIGINAL}", flush=True)
    return found


def _imported(out: Path) -> Path:
    """As an operator takes it over: the pickle becomes a classifier folder, and that gets an ONNX file."""
    _training("import-joblib", str(ORIGINAL), "--out", str(out), "--name", "original-cnn", "--classes", CLASSES)
    photographs = out.with_name("compared")
    photographs.mkdir()
    for file in sorted(out.with_name("few").iterdir())[:8]:
        shutil.copy(file, photographs)
    _training("export", str(out), "--data", str(photographs))
    return out


def _training(*command: str) -> None:
    subprocess.run([sys.executable, "-m", "worker.training", *command], check=True, capture_output=True)


def _measure(figures: Figures, system: System, case: Case, rounds: int) -> None:
    before, after = [], []
    for number in range(rounds):
        before.append(_original(case, system.folder / "few"))
        after.append(_system(system, case))
        print(f"round {number + 1}: original {before[-1]:.1f} images/s, system {after[-1]:.1f} images/s", flush=True)
    figures.add(f"{case.what}: original service", before, "images/s")
    figures.add(f"{case.what}: system", after, "images/s")
    ratios = [ours / theirs for ours, theirs in zip(after, before, strict=True)]
    figures.add(f"{case.what}: system / original service", ratios, goal=case.goal)


def _original(case: Case, folder: Path) -> float:
    how = case.manifest.preprocessing
    command = [sys.executable, str(LOOP), str(folder), str(case.folder / MODEL_FILE), str(how.offset), str(how.scale)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _system(system: System, case: Case) -> float:
    worker = system.start_worker(PHYTOBATCH_CLASSIFIER_DIR=str(case.folder))
    try:
        return through_the_system(system, sorted((system.folder / "full").iterdir()), case.folder)
    finally:
        worker.send(signal.SIGTERM)
        worker.stop()
        system.children.remove(worker)


if __name__ == "__main__":
    main()
