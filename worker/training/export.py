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
from worker.inference.batches import LoadedClassifier
from worker.inference.errors import ImageError
from worker.inference.keras_classifier import KerasClassifier, load_model, shapes_by_name
from worker.inference.manifest import file_sha256, read_manifest
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import preprocess
from worker.training.compact import compact
from worker.training.errors import TrainingError
from worker.training.onnx_graph import put_in_order
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
        The manifest, and the maximum difference of any output on any image, as ``compare`` has it.

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
        differences = compare(draft, photographs)
        for output, difference in differences.items():
            if not difference <= MAX_DIFFERENCE:  # NaN is refused, too.
                raise TrainingError(
                    f"ONNX Runtime and TensorFlow differ by {difference:.2g} in the output {output!r} on these images, "
                    f"more than {MAX_DIFFERENCE:g}; {ONNX_FILE} was not written, this classifier runs on TensorFlow."
                )
        (draft / ONNX_FILE).replace(folder / ONNX_FILE)
        write_manifest(folder, manifest)
    largest = max(differences.values())
    log.info("%s: largest difference %.2g", folder / ONNX_FILE, largest)
    return manifest, largest


def write_keras(model: Any, path: Path) -> None:  # noqa: ANN401  # Keras publishes no types
    """Save a model as ``.keras`` (a zip file) with its members compressed: rounded weights take half the space."""
    plain = path.with_name(f"plain-{path.name}")
    model.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    plain.unlink()


def write_onnx(model: Any, path: Path) -> None:  # noqa: ANN401  # Keras publishes no types
    """Convert a Keras model; weights are stored in fewer bits where that loses nothing.

    Outputs that have names keep them. The same model gives the same bytes.
    """
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="pixels")]
    called = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature, autograph=False)
    onnx_model, _ = tf2onnx.convert.from_function(called, input_signature=signature, opset=OPSET)
    compact(onnx_model)
    put_in_order(onnx_model.graph, shapes_by_name(model))
    path.write_bytes(onnx_model.SerializeToString(deterministic=True))


def compare(folder: Path, photographs: Sequence[Path]) -> dict[str, float]:
    """Return the maximum difference of each output of the two runtimes on these images, by the name of the output.

    That of a map is divided by its largest value: evidence has no scale of its own.

    Raises:
        TrainingError: none of them can be read.
    """
    manifest = read_manifest(folder)
    chosen = photographs[:: max(1, len(photographs) // COMPARED)][:COMPARED]
    pixels = [p for p in (_pixels(photo, manifest) for photo in chosen) if p is not None]
    if not pixels:
        raise TrainingError("There is no readable image to compare the runtimes on; name a folder of them with --data.")
    expected = _arrays(KerasClassifier(folder, batch_size=8), pixels)
    found = _arrays(OnnxClassifier(folder, batch_size=8), pixels)
    relative = None if manifest.outputs is None else manifest.outputs.map
    return {
        name: _difference(values, found[name], scale=np.abs(values).max() if name == relative else 1.0)
        for name, values in expected.items()
    }


def _difference(one: NDArray[np.float32], other: NDArray[np.float32], *, scale: float) -> float:
    return float(np.abs(one - other).max() / (scale or 1.0))


def _pixels(photo: Path, manifest: Manifest) -> NDArray[np.float32] | None:
    try:
        return preprocess(photo.read_bytes(), manifest.preprocessing, manifest.input_size)
    except ImageError:
        return None


def _arrays(classifier: LoadedClassifier, pixels: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    size = classifier.batch_size
    batches = [classifier.arrays(np.stack(pixels[i : i + size]), maps=True) for i in range(0, len(pixels), size)]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
