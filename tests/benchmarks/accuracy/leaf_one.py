"""The version before: ``leaf`` 1, from the folder that is shipped or, once that holds another, from git's history."""

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import MANIFEST_FILE, ONNX_FILE
from tests.benchmarks.accuracy.data import CLASSES, LABELS, Data
from tests.benchmarks.accuracy.judged import Judged
from tests.benchmarks.accuracy.trainings import asked
from worker.inference.classifier import Classifier
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier
from worker.training.dataset import hold_out
from worker.training.fit import scaled
from worker.training.plan import HELD_OUT, PREPROCESSING
from worker.training.store import Examples

VERSION = "1"
COMMIT = "5c4debc"
FOLDER = "worker/classifiers/leaf"
BATCH = 32
SEED = 1
# In the order of its training: what it held out follows from it.
LEARNED = (
    "leaves/apple-field/train",
    "leaves/apple-field/extra",
    "leaves/cherry/train",
    "leaves/corn/train",
    "leaves/coffee/train",
    "leaves/mango/train",
    "leaves/strawberry/train",
)
# Printed by ``make evaluate`` at that commit: its recipe in five folds over the old crops, 4,844 pictures of the
# classes and 600 of other diseases. Those folds were by picture, not by group.
FOLDS = {"right": 0.986, "right answers sent": 0.034, "wrong answers sent": 0.412, "other sent": 0.923, "error": 0.004}


def folder_of_leaf_one(work: Path) -> Path:
    """Return a folder with the files of leaf 1.

    Raises:
        CalledProcessError: neither the shipped folder nor git's history has it.
    """
    shipped = shipped_classifier_dir()
    if read_manifest(shipped).version == VERSION:
        return shipped
    folder = work / "leaf-1"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (MANIFEST_FILE, ONNX_FILE):
        show = ["git", "show", f"{COMMIT}:{FOLDER}/{name}"]
        (folder / name).write_bytes(subprocess.run(show, check=True, capture_output=True).stdout)
    return folder


def judge_leaf_one(data: Data, work: Path) -> Judged:
    """Ask leaf 1 about every leaf and every tile of ground; its numbers are kept."""
    file = work / "leaf-1-judged.npz"
    key = f"{len(data.examples)} leaves, {len(data.grounds.place)} tiles"
    kept = Judged.kept(file, key)
    if kept is not None:
        return kept
    classifier = OnnxClassifier(folder_of_leaf_one(work), batch_size=BATCH)
    manifest = classifier.manifest
    if manifest.labels != CLASSES:
        msg = f"leaf 1 has the classes {manifest.labels}, expected {CLASSES}"
        raise AssertionError(msg)
    leaves, tiles = np.arange(len(data.examples)), np.arange(len(data.grounds.place))
    sets = asked(data, leaves, tiles, np.random.default_rng(20_000 + SEED))
    rows = {name: _rows(classifier, *chosen) for name, chosen in sets.items() if len(chosen[1])}
    found = Judged(
        rows,
        {name: np.empty((len(numbers), 0)) for name, numbers in rows.items()},
        np.array([output.limit for output in manifest.review_outputs]),
        tuple(str(output.reason) for output in manifest.review_outputs),
        manifest.review_threshold,
        key,
    )
    found.keep(file)
    return found


def not_learned(data: Data) -> NDArray[np.bool_]:
    """Return True for each picture of whose group leaf 1 has learned none."""
    order = [number for name in LEARNED for number in _indices(data, name)]
    index = np.array(order, np.int64)
    learned, _ = hold_out(data.labels[index], HELD_OUT, SEED)
    return np.asarray(~np.isin(data.groups.numbers, data.groups.numbers[index[learned]]))


def _indices(data: Data, folder: str) -> list[int]:
    """Return the pictures of a folder by class, as ``labelled_files`` lists all folders: folder by folder."""
    number = next(i for i, source in enumerate(data.sets.sources) if source.folder == folder)
    of_it = np.flatnonzero(data.source == number)
    return [int(i) for label in range(len(LABELS)) for i in of_it[data.labels[of_it] == label]]


def _rows(classifier: Classifier, examples: Examples, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    found = [
        classifier.classify(scaled(examples.pixels[chosen[i : i + BATCH], 0], PREPROCESSING)).rows
        for i in range(0, len(chosen), BATCH)
    ]
    return np.concatenate(found).astype(np.float64)
