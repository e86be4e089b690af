"""Whole classifiers through the code that serves: the shipped one and the original, in one table."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import MANIFEST_FILE, MODEL_FILE
from worker.inference.classifier import Classifier
from worker.inference.interpret import Interpretation, interpret
from worker.inference.keras_classifier import KerasClassifier
from worker.inference.manifest import file_sha256, shipped_classifier_dir
from worker.inference.preprocess import preprocess
from worker.inference.runtime import open_classifier
from worker.training.evaluate import evaluate
from worker.training.negatives import junk

BATCH = 16
JUNK = 500
JUNK_SEED = 99_000
OTHER = ("apple-field/extra", "corn/train", "coffee/train")
# The words of the original classifier, in the words of the folders.
TRANSLATED = {"saludable": "healthy", "powdery": "powdery_mildew", "rush": "rust"}


def print_served(root: Path) -> None:
    """Accuracy, F1 and calibration on apple-field/validation, and what asks for a person, of both classifiers.

    The shipped classifier has learned nine of ten of the ``other_disease`` pictures; the honest figure for those is
    that of the folds.
    """
    print("| figure | shipped | original |\n|---|---|---|")
    with original(root) as before:
        rows = [_figures(classifier, root) for classifier in (shipped(), before)]
    for name in rows[0]:
        print(f"| {name} | {rows[0][name]} | {rows[1][name]} |")


def shipped() -> Classifier:
    """The one that comes with the program."""
    return open_classifier(shipped_classifier_dir(), batch_size=BATCH)


@contextmanager
def original(root: Path) -> Iterator[Classifier]:
    """The one that is replaced, with the names of the folders."""
    with tempfile.TemporaryDirectory(prefix="phytobatch-original-") as made:
        folder = Path(made)
        shutil.copy(root / "models/original-cnn/model.keras", folder / MODEL_FILE)
        manifest = {
            "name": "original",
            "version": "1",
            "sha256": file_sha256(folder / MODEL_FILE),
            "classes": [{"id": label} for label in TRANSLATED.values()],
            "input_size": [180, 180],
        }
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
        yield KerasClassifier(folder, batch_size=BATCH)


def _figures(classifier: Classifier, root: Path) -> dict[str, str]:
    leaves = root / "leaves"
    answers = evaluate(classifier, leaves / "apple-field/validation").answers
    other = [path for name in OTHER for path in sorted((leaves / name / "other_disease").rglob("*.*"))]
    drone = sorted(p for p in (root / "drone").rglob("*") if p.suffix.lower() == ".jpg")
    rng = np.random.default_rng(JUNK_SEED)
    right = answers.review[answers.right]
    return {
        "apple-field/validation: right of 60": str(int(answers.right.sum())),
        **{f"F1 {label}": f"{answers.f1(n):.3f}" for n, label in enumerate(answers.classes)},
        "expected calibration error": f"{answers.calibration_error:.3f}",
        "needs_review, right answers": f"{right.mean():.3f}",
        f"needs_review, other_disease ({len(other)})": _asked(interpret_files(classifier, other)),
        f"needs_review, drone ({len(drone)})": _asked(interpret_files(classifier, drone)),
        f"needs_review, junk ({JUNK})": _asked(
            interpret_pictures(classifier, [junk((224, 224), rng) for _ in range(JUNK)])
        ),
    }


def _asked(found: Sequence[Interpretation]) -> str:
    return f"{sum(one.needs_review for one in found) / len(found):.3f}"


def interpret_files(classifier: Classifier, files: Sequence[Path]) -> list[Interpretation]:
    """Classify files."""
    manifest = classifier.manifest
    return _classified(
        classifier, [preprocess(f.read_bytes(), manifest.preprocessing, manifest.input_size) for f in files]
    )


def interpret_pictures(classifier: Classifier, pictures: Sequence[NDArray[np.uint8]]) -> list[Interpretation]:
    """Classify pixels."""
    manifest = classifier.manifest
    size = manifest.input_size[::-1]
    resized = [np.asarray(Image.fromarray(p).resize(size), np.float64) for p in pictures]
    how = manifest.preprocessing
    return _classified(classifier, [((p - how.offset) * how.scale).astype(np.float32) for p in resized])


def _classified(classifier: Classifier, pixels: Sequence[NDArray[np.float32]]) -> list[Interpretation]:
    size = classifier.batch_size
    rows = [
        row for i in range(0, len(pixels), size) for row in classifier.classify(np.stack(pixels[i : i + size])).rows
    ]
    return [interpret(row, classifier.manifest) for row in rows]
