"""``model.onnx`` to ``model.int8.onnx``, and what that costs: refused where the answers of the two differ too often."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import INT8_FILE, ONNX_FILE, Manifest
from worker.inference.errors import ImageError
from worker.inference.manifest import file_sha256, read_manifest, verify_model_file
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import preprocess
from worker.inference.processor import BYTE_PRODUCTS, byte_products
from worker.training.errors import TrainingError
from worker.training.evaluate import evaluate
from worker.training.measure import Answers
from worker.training.quantise import write_int8
from worker.training.write import write_manifest

log = logging.getLogger(__name__)

MAX_CHANGED_SHARE = 0.005  # of the labels
MAX_GROWTH = 0.005  # of the expected calibration error
CALIBRATED = 128  # images; with 512 the answers are the same
BATCH = 8


@dataclass(frozen=True, slots=True)
class Agreement:
    """The answers of ``model.onnx`` and of ``model.int8.onnx`` for the same images, in the same order."""

    floats: Answers
    bytes: Answers

    @property
    def changed(self) -> int:
        """The number of images with another label."""
        return int((self.floats.answers != self.bytes.answers).sum())

    @property
    def reviews_changed(self) -> int:
        """The number of images that one of them sends to a person and the other does not."""
        return int((self.floats.review != self.bytes.review).sum())

    @property
    def growth(self) -> float:
        """The growth of the expected calibration error."""
        return self.bytes.calibration_error - self.floats.calibration_error

    @property
    def is_close(self) -> bool:
        """True if the file may be served."""
        return self.changed <= MAX_CHANGED_SHARE * self.floats.total and self.growth <= MAX_GROWTH

    def __str__(self) -> str:
        """Say all of it in a sentence's part."""
        return (
            f"{self.changed} of {self.floats.total} labels differ ({self.changed / self.floats.total:.2%}, at most "
            f"{MAX_CHANGED_SHARE:.1%}), {self.reviews_changed} are sent to a person by one alone, and the calibration "
            f"error goes from {self.floats.calibration_error:.4f} to {self.bytes.calibration_error:.4f} (at most "
            f"{MAX_GROWTH:g} more)"
        )


def export_int8(folder: Path, data: Sequence[Path], photographs: Sequence[Path]) -> tuple[Manifest, Agreement]:
    """Write ``model.int8.onnx`` beside ``model.onnx`` and name its SHA-256 in the manifest.

    Args:
        folder: a classifier folder with ``model.onnx``.
        data: folders to judge on, of images that the training did not see; each holds one folder per class.
        photographs: real images, from which the ranges of the activations are taken; at most ``CALIBRATED`` of them,
            spread over the list.

    Raises:
        TrainingError: labels differ on more than 0.5 % of the images, the calibration error grows by more than 0.005,
            the network or this processor is unfit, or no image is readable; the folder is unchanged.
        ClassifierError: the folder cannot be used.
    """
    manifest = read_manifest(folder)
    _check_fitness(folder, manifest)
    source = verify_model_file(folder, manifest, ONNX_FILE)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as draft_folder:
        draft = Path(draft_folder)
        os.link(source, draft / ONNX_FILE)
        write_int8(source, draft / INT8_FILE, _batches(photographs, manifest))
        manifest = manifest.model_copy(update={"int8_sha256": file_sha256(draft / INT8_FILE)})
        write_manifest(draft, manifest)
        agreement = judge(draft, data)
        if not agreement.is_close:
            raise TrainingError(f"{INT8_FILE} was not written: {agreement}. This classifier runs on {ONNX_FILE}.")
        (draft / INT8_FILE).replace(folder / INT8_FILE)
        write_manifest(folder, manifest)
    log.info("%s: %s", folder / INT8_FILE, agreement)
    return manifest, agreement


def judge(folder: Path, data: Sequence[Path]) -> Agreement:
    """Classify the images below ``data/class`` with both files of a folder.

    Raises:
        TrainingError: no folder is named as a class, or none of the images can be read.
        ClassifierError: the folder cannot be used.
    """
    floats, in_bytes = (
        _joined([evaluate(classifier, each).answers for each in data])
        for classifier in (OnnxClassifier(folder, batch_size=BATCH, file=name) for name in (ONNX_FILE, INT8_FILE))
    )
    return Agreement(floats, in_bytes)


def _check_fitness(folder: Path, manifest: Manifest) -> None:
    """Refuse what cannot be written or judged here, before minutes of work."""
    if manifest.outputs is None:
        raise TrainingError(
            f"{folder} has a manifest of the first version, which cannot name {INT8_FILE}; train it again."
        )
    if byte_products() is None:
        raise TrainingError(
            f"This processor has none of {', '.join(BYTE_PRODUCTS)}: it would not give the answers that {INT8_FILE} is "
            "served with. Export it on one that has."
        )


def _joined(parts: Sequence[Answers]) -> Answers:
    columns = ("labels", "answers", "confidence", "review")
    return Answers(parts[0].classes, *(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _batches(photographs: Sequence[Path], manifest: Manifest) -> Iterator[NDArray[np.float32]]:
    chosen = photographs[:: max(1, len(photographs) // CALIBRATED)][:CALIBRATED]
    pixels = []
    for photograph in chosen:
        try:
            pixels.append(preprocess(photograph.read_bytes(), manifest.preprocessing, manifest.input_size))
        except ImageError as error:
            log.warning("left out: %s: %s", photograph, error)
    if not pixels:
        raise TrainingError("There is no readable image to take ranges from; name a folder of them with --calibrate.")
    for first in range(0, len(pixels), BATCH):
        yield np.stack(pixels[first : first + BATCH])
