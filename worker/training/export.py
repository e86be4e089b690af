"""``model.keras`` to ``model.onnx``: the same numbers, three times as fast on a CPU, without TensorFlow."""

import logging
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import MODEL_FILE, ONNX_FILE, Manifest
from worker.inference.errors import ImageError
from worker.inference.keras_classifier import KerasClassifier, load_model
from worker.inference.manifest import file_sha256, read_manifest
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import preprocess
from worker.training.compact import compact
from worker.training.errors import TrainingError
from worker.training.write import write_manifest

log = logging.getLogger(__name__)

OPSET = 17
MAX_DIFFERENCE = 1e-4
COMPARED = 64  # images


def export(folder: Path, photographs: Sequence[Path]) -> tuple[Manifest, float]:
    """Write ``model.onnx`` beside ``model.keras`` and name its SHA-256 in the manifest.

    Args:
        folder: a classifier folder.
        photographs: real images to compare both on; at most ``COMPARED`` of them, spread over the list, are used.

    Returns:
        The manifest, and the maximum difference of any output on any image.

    Raises:
        TrainingError: an output differs by more than 1e-4, or no image is readable; the folder is unchanged.
        ClassifierError: the folder cannot be used.
    """
    manifest = read_manifest(folder)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as draft_folder:
        draft = Path(draft_folder)
        os.link(folder / MODEL_FILE, draft / MODEL_FILE)
        write_onnx(load_model(folder / MODEL_FILE), draft / ONNX_FILE)
        manifest = manifest.model_copy(update={"onnx_sha256": file_sha256(draft / ONNX_FILE)})
        write_manifest(draft, manifest)
        difference = compare(draft, photographs)
        if not difference <= MAX_DIFFERENCE:  # NaN is refused, too.
            raise TrainingError(
                f"ONNX Runtime and TensorFlow differ by {difference:.2g} on these images, more than "
                f"{MAX_DIFFERENCE:g}; {ONNX_FILE} was not written, this classifier runs on TensorFlow."
            )
        (draft / ONNX_FILE).replace(folder / ONNX_FILE)
        write_manifest(folder, manifest)
    log.info("%s: largest difference %.2g", folder / ONNX_FILE, difference)
    return manifest, difference


def write_keras(model: Any, path: Path) -> None:  # noqa: ANN401  # Keras publishes no types
    """Save a model as ``.keras`` (a zip file) with its members compressed: rounded weights take half the space."""
    plain = path.with_name(f"plain-{path.name}")
    model.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    plain.unlink()


def write_onnx(model: Any, path: Path) -> None:  # noqa: ANN401  # Keras publishes no types
    """Convert a Keras model; weights are stored in fewer bits where that loses nothing."""
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="pixels")]
    called = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature, autograph=False)
    onnx_model, _ = tf2onnx.convert.from_function(called, input_signature=signature, opset=OPSET)
    compact(onnx_model)
    path.write_bytes(onnx_model.SerializeToString())


def compare(folder: Path, photographs: Sequence[Path]) -> float:
    """Return the maximum difference of any output of the two runtimes on these images.

    Raises:
        TrainingError: none of them can be read.
    """
    manifest = read_manifest(folder)
    chosen = photographs[:: max(1, len(photographs) // COMPARED)][:COMPARED]
    pixels = [p for p in (_pixels(photo, manifest) for photo in chosen) if p is not None]
    if not pixels:
        raise TrainingError("There is no readable image to compare the runtimes on; name a folder of them with --data.")
    keras_rows = _rows(KerasClassifier(folder, batch_size=8), pixels)
    onnx_rows = _rows(OnnxClassifier(folder, batch_size=8), pixels)
    return float(np.abs(keras_rows - onnx_rows).max())


def _pixels(photo: Path, manifest: Manifest) -> NDArray[np.float32] | None:
    try:
        return preprocess(photo.read_bytes(), manifest.preprocessing, manifest.input_size)
    except ImageError:
        return None


def _rows(classifier: KerasClassifier | OnnxClassifier, pixels: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    size = classifier.batch_size
    return np.concatenate(
        [classifier.classify(np.stack(pixels[i : i + size])).rows for i in range(0, len(pixels), size)]
    )
