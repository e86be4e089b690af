"""A Keras model as a classifier: the only file of the service that imports TensorFlow (10 s, 500 MB), and lazily."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
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
from worker.inference.outputs import ROW, Arrays, check_dimensions, match_outputs, wanted_names

STDERR = 2
# Absl's notes (a severity, four digits of the date, a time), and its sentence that it has not been set up yet.
_NOTE = re.compile(rb"I\d{4} |WARNING: All log messages before absl::InitializeLog\(\)|To enable the following instr")


class KerasClassifier(LoadedClassifier):
    """One model, a traced function over a fixed batch; short batches are padded.

    ``predict()`` is never called: in a loop it leaks (keras #13118). A fixed shape means one trace and no retracing.
    The function with maps is another one, traced when they are first asked for: that without has no operation for them.
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
        model = load_model(model_file)
        _check_model(str(model_file), model, manifest)
        self._call = _traced(tensorflow, model, manifest, batch_size, maps=False)
        self._call_with_maps = _traced(tensorflow, model, manifest, batch_size, maps=True)
        self._lock = threading.Lock()
        self._config = tensorflow.config

    def arrays(self, batch: NDArray[np.float32], *, maps: bool = False) -> Arrays:
        """Return the outputs of a batch (n, height, width, 3) by name; n is 1 to ``batch_size``.

        Raises:
            ValueError: the batch has another shape.
        """
        check_shape(batch, self._manifest, self._batch_size)
        full = np.zeros((self._batch_size, *batch.shape[1:]), np.float32)
        full[: len(batch)] = batch
        with self._lock:
            found = (self._call_with_maps if maps else self._call)(full)
            return {name: np.array(tensor.numpy()[: len(batch)]) for name, tensor in found.items()}

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


def _traced(tensorflow: Any, model: Any, manifest: Manifest, batch_size: int, *, maps: bool) -> Any:  # noqa: ANN401
    """Make a function of a fixed shape that gives the wanted outputs by name; its first call traces the model."""
    signature = [tensorflow.TensorSpec((batch_size, *manifest.input_size, CHANNELS), tensorflow.float32)]
    wanted = wanted_names(manifest, maps=maps)

    def forward(batch: Any) -> Any:  # noqa: ANN401
        found = _by_name(model(batch, training=False))
        return {name: found[name] for name in wanted}

    return tensorflow.function(forward, input_signature=signature, autograph=False)


def _check_model(what: str, model: Any, manifest: Manifest) -> None:  # noqa: ANN401
    """Check the shapes of the model's input and outputs against the manifest."""
    check_dimensions(what, "input", getattr(model, "input_shape", None), (None, *manifest.input_size, CHANNELS))
    shapes = shapes_by_name(model)
    if manifest.outputs is not None and set(shapes) == {ROW}:
        raise ModelUnusable(
            f"{what} gives outputs without names, its manifest names {', '.join(manifest.outputs.names)}; save a "
            "functional Keras model whose outputs are a dictionary, or write a manifest with schema_version 1."
        )
    match_outputs(what, shapes, manifest)


def shapes_by_name(model: Any) -> Mapping[str, Any]:  # noqa: ANN401
    """Return the shape of each output of a Keras model by name, of its only one under the name ``row``."""
    outputs = getattr(model, "output", None)
    if isinstance(outputs, Mapping):
        return {name: tuple(output.shape) for name, output in outputs.items()}
    return {ROW: getattr(model, "output_shape", None)}


def _by_name(outputs: Any) -> Mapping[str, Any]:  # noqa: ANN401
    """Return a dictionary of outputs as it is; the one output of a model of the first schema under the name ``row``."""
    return outputs if isinstance(outputs, Mapping) else {ROW: outputs}
