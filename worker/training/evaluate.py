"""Accuracy of a classifier on a folder-per-class set, measured through the code that serves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared.contracts.states import ImageErrorCode
from worker.inference.classifier import Classifier
from worker.inference.errors import ImageError
from worker.inference.pipeline import Item, Pipeline
from worker.training.dataset import LabelledFile, labelled_files
from worker.training.errors import TrainingError
from worker.training.folders import class_folders
from worker.training.measure import Answers

BYTES_IN_FLIGHT = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``answers`` in the order of the files; ``errors`` has a sentence for each unreadable file."""

    answers: Answers
    errors: tuple[str, ...]


def evaluate(classifier: Classifier, data: Path, *, threads: int = 2) -> Evaluation:
    """Classify every image below ``data/class``; skip folders that are not a class of the classifier.

    Raises:
        TrainingError: no folder in ``data`` is named as a class of the classifier, or none of its images can be read.
    """
    classes = classifier.manifest.labels
    there = class_folders([data])
    present = [c for c in classes if c in there]
    if not present:
        raise TrainingError(f"{data} has no folder named as a class of the classifier: {', '.join(classes)}.")
    files = [LabelledFile(f.path, classes.index(present[f.label])) for f in labelled_files([data], present)]
    items = [Item(seq, str(f.path), f.path.stat().st_size) for seq, f in enumerate(files)]
    rows: dict[int, tuple[int, int, float, bool]] = {}
    errors: list[str] = []
    with Pipeline(
        classifier,
        batch_size=classifier.batch_size,
        download_threads=threads,
        decode_threads=threads,
        bytes_in_flight=BYTES_IN_FLIGHT,
    ) as pipeline:
        for outcome in pipeline.run(items, _read):
            answer = outcome.interpretation
            if answer is None:
                errors.append(_sentence(files[outcome.seq], outcome.error))
            else:
                label = files[outcome.seq].label
                rows[outcome.seq] = (label, classes.index(answer.label), answer.confidence, answer.needs_review)
    if not rows:
        raise TrainingError(f"None of the {len(files)} images in {data} could be read; the first: {errors[0]}")
    columns = [[rows[seq][n] for seq in sorted(rows)] for n in range(4)]
    answers = Answers(
        classes,
        np.array(columns[0], np.int64),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.float64),
        np.array(columns[3], bool),
    )
    return Evaluation(answers, tuple(errors))


def _read(item: Item) -> bytes:
    try:
        return Path(item.name).read_bytes()
    except OSError as error:
        detail = f"The file cannot be read ({error.strerror})."
        raise ImageError(ImageErrorCode.OBJECT_MISSING, detail) from error


def _sentence(file: LabelledFile, error: ImageError | None) -> str:
    return f"{file.path}: {error.detail if error else 'no reason given'}"
