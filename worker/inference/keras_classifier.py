"""A Keras model as a classifier: the only file of the service that imports TensorFlow (10 s, 500 MB), and lazily."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.batches import CHANNELS, LoadedClassifier, check_batch_size, check_shape
from worker.inference.classifier import GpuMemory
from worker.inference.errors import ModelUnusable
from worker.inference.manifest import read_manifest, verify_model_file

STDERR = 2
# Absl's notes (a severity, four digits of the date, a time), and its sentence that it has not been set up yet.
_NOTE = re.compile(rb"I\d{4} |WARNING: All log messages before absl::InitializeLog\(\)|To enable the following instr")


class KerasClassifier(LoadedClassifier):
    """One model, one traced function over a fixed batch; short batches are padded.

    ``predict()`` is never called: in a loop it leaks (keras #13118). A fixed shape means one trace and no retracing.
    A lock lets one call run at a time; the others prepare their pixels meanwhile.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch_size: int,
        intra_op_threads: int | None = None,
        inter_op_threads: int | None = None,
    ) -> None:
        """Load the model of a classifier folder; call ``warm_up`` before the first image.

        Args:
            folder: with ``model.keras`` and ``manifest.json``.
            batch_size: images in one call of the model.
            intra_op_threads: threads in one operation of TensorFlow; None leaves it to TensorFlow.
            inter_op_threads: operations at a time; None leaves it to TensorFlow.

        Raises:
            ClassifierError: the folder is incomplete or changed, or Keras cannot open the model.
        """
        check_batch_size(batch_size)
        manifest = read_manifest(folder)
        model_file = verify_model_file(folder, manifest)
        tensorflow = import_tensorflow(intra_op_threads=intra_op_threads, inter_op_threads=inter_op_threads)
        super().__init__(manifest, batch_size=batch_size, runtime=f"tensorflow {tensorflow.__version__}")
        self._call = _traced(tensorflow, load_model(model_file), manifest, batch_size)
        self._lock = threading.Lock()
        self._config = tensorflow.config

    def classify(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return outputs (n, classes + review outputs) of a batch (n, height, width, 3); n is 1 to ``batch_size``.

        Thread-safe.

        Raises:
            ValueError: the batch has another shape.
        """
        check_shape(batch, self._manifest, self._batch_size)
        full = np.zeros((self._batch_size, *batch.shape[1:]), np.float32)
        full[: len(batch)] = batch
        with self._lock:
            outputs = self._call(full)
            return np.array(outputs.numpy()[: len(batch)], dtype=np.float32)

    def gpu_memory(self) -> Sequence[GpuMemory]:
        """See ``Classifier.gpu_memory``."""
        gpus = []
        for number, _ in enumerate(self._config.list_physical_devices("GPU")):
            memory = self._config.experimental.get_memory_info(f"GPU:{number}")
            gpus.append(GpuMemory(str(number), memory["current"], memory["peak"]))
        return gpus


def load_model(path: Path) -> Any:  # noqa: ANN401  # Keras publishes no types
    """Open a ``.keras`` file without running code from it (``safe_mode``).

    Raises:
        ModelUnusable: Keras refuses the file.
    """
    import_tensorflow()
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers raise.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelUnusable(f"Keras cannot open {path}: {reason}") from error


def import_tensorflow(*, intra_op_threads: int | None = None, inter_op_threads: int | None = None) -> Any:  # noqa: ANN401  # it publishes no types
    """Import TensorFlow with a quiet log, GPUs that take memory as needed, and the requested threads.

    Raises:
        ModelUnusable: TensorFlow is not installed, or thread counts were requested after it had started.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # Warnings about the build of TensorFlow help no operator.
    try:
        with without_startup_notes():
            import tensorflow as tf
    except ImportError as error:
        raise ModelUnusable(
            "TensorFlow is not installed: install phytobatch-server[tensorflow] (or [gpu]), or write model.onnx where "
            "it is (`python -m worker.training export`) and run ONNX Runtime."
        ) from error
    try:
        _configure(tf, intra_op_threads, inter_op_threads)
    except RuntimeError as error:
        raise ModelUnusable(f"TensorFlow cannot be configured after its first use: {error}") from error
    return tf


@contextmanager
def without_startup_notes() -> Iterator[None]:
    """Drop the notes that a library writes to file descriptor 2 in the block; write everything else at its end.

    On some processors TensorFlow 2.21 announces how it was built before its own log level counts, below Python. These
    notes would spoil the JSON lines of an operator and the table of a user.
    """
    sys.stderr.flush()
    try:
        saved = os.dup(STDERR)
    except OSError:  # A process without standard error.
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, STDERR)
            os.close(saved)
            file.seek(0)
            for line in file:
                if not _NOTE.match(line):
                    os.write(STDERR, line)


def _configure(tensorflow: Any, intra_op_threads: int | None, inter_op_threads: int | None) -> None:  # noqa: ANN401
    config = tensorflow.config
    for gpu in config.list_physical_devices("GPU"):
        if not config.experimental.get_memory_growth(gpu):
            config.experimental.set_memory_growth(gpu, enable=True)
    threading_config = config.threading
    if intra_op_threads not in (None, threading_config.get_intra_op_parallelism_threads()):
        threading_config.set_intra_op_parallelism_threads(intra_op_threads)
    if inter_op_threads not in (None, threading_config.get_inter_op_parallelism_threads()):
        threading_config.set_inter_op_parallelism_threads(inter_op_threads)


def _traced(tensorflow: Any, model: Any, manifest: Manifest, batch_size: int) -> Any:  # noqa: ANN401
    """Trace the model as one function of a fixed shape, after checking that shape against the manifest."""
    height, width = manifest.input_size
    _check_shape("input", getattr(model, "input_shape", None), (None, height, width, CHANNELS))
    _check_shape("output", getattr(model, "output_shape", None), (None, manifest.row_length))
    signature = [tensorflow.TensorSpec((batch_size, height, width, CHANNELS), tensorflow.float32)]

    def forward(batch: Any) -> Any:  # noqa: ANN401
        return model(batch, training=False)

    return tensorflow.function(forward, input_signature=signature, autograph=False)


def _check_shape(what: str, shape: object, expected: tuple[int | None, ...]) -> None:
    """Compare a shape with the manifest's; a dimension that the model leaves open (None) fits anything."""
    fits = (
        isinstance(shape, tuple)
        and len(shape) == len(expected)
        and all(s is None or e is None or s == e for s, e in zip(shape, expected, strict=True))
    )
    if not fits:
        raise ModelUnusable(f"The model's {what} has the shape {shape}, its manifest asks for {expected}.")
