"""An exported model on ONNX Runtime: the runtime of workers without a GPU. It starts in a second."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import INT8_FILE, ONNX_FILE
from worker.inference.batches import LoadedClassifier, check_batch_size, check_shape
from worker.inference.errors import ModelUnusable
from worker.inference.manifest import read_manifest, verify_model_file
from worker.inference.outputs import Arrays, match_outputs, wanted_names

TELEMETRY_OFF = "ORT_DISABLE_TELEMETRY"
# What the provenance of a result says behind the version.
KINDS = {ONNX_FILE: "", INT8_FILE: " int8"}


class OnnxClassifier(LoadedClassifier):
    """One session, shared by all threads: ONNX Runtime's ``run`` is thread-safe, and short batches need no padding."""

    def __init__(self, folder: Path, *, batch_size: int, threads: int | None = None, file: str = ONNX_FILE) -> None:
        """Load ``model.onnx`` or ``model.int8.onnx`` of a classifier folder.

        Args:
            folder: with the file and a ``manifest.json`` that names its SHA-256.
            batch_size: maximum number of images in one call.
            threads: for one call; None leaves it to ONNX Runtime, which takes the processors of this process.
            file: ``model.onnx`` or ``model.int8.onnx``.

        Raises:
            ClassifierError: the folder is incomplete or changed, or ONNX Runtime cannot open the model.
        """
        check_batch_size(batch_size)
        manifest = read_manifest(folder)
        runtime = f"onnxruntime {version('onnxruntime')}{KINDS[file]}"
        super().__init__(manifest, batch_size=batch_size, runtime=runtime)
        path = verify_model_file(folder, manifest, file)
        self._session = _session(path, threads)
        self._input = self._session.get_inputs()[0].name
        declared = {output.name: output.shape for output in self._session.get_outputs()}
        self._names = match_outputs(str(path), declared, manifest)

    def arrays(self, batch: NDArray[np.float32], *, maps: bool = False) -> Arrays:
        """Return the outputs of a batch (n, height, width, 3) by name; n is 1 to ``batch_size``.

        Raises:
            ValueError: the batch has another shape.
        """
        check_shape(batch, self._manifest, self._batch_size)
        wanted = wanted_names(self._manifest, maps=maps)
        found = self._session.run([self._names[name] for name in wanted], {self._input: batch})
        return dict(zip(wanted, found, strict=True))


def import_onnxruntime() -> Any:  # noqa: ANN401  # it publishes no types
    """Import ONNX Runtime with its telemetry off.

    Since 1.29 the packages for Linux send events to their maker unless this variable is set before the import; they
    contain the names and hashes of models. This program sends no data of its users to third parties.
    """
    os.environ[TELEMETRY_OFF] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _session(path: Path, threads: int | None) -> Any:  # noqa: ANN401  # it publishes no types
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # Its warnings about the graph help no operator.
    # A thread that waits for the next call in a loop would take a processor from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises whatever its parser raises.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelUnusable(f"ONNX Runtime cannot open {path}: {reason}") from error
    if len(session.get_inputs()) != 1:
        raise ModelUnusable(f"{path} must have one input.")
    return session
