"""Choice of the runtime of a classifier: TensorFlow if a GPU is visible, ONNX Runtime on a CPU, in bytes if it can.

A new runtime is a file beside this one, a line of ``_RUNTIMES``, and its file and hash in
:mod:`shared.contracts.manifest`; ``worker.training.export`` writes the file. Choosing imports none of them: a worker
that runs ONNX never pays for TensorFlow (fifteen seconds, 500 MB).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from shared.contracts.manifest import INT8_FILE, MODEL_FILE, ONNX_FILE, Runtime
from worker.inference.classifier import Classifier
from worker.inference.manifest import read_manifest
from worker.inference.processor import byte_products

# Where the NVIDIA driver shows its devices to a process or container.
GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"))


def default_batch(folder: Path, requested: Runtime) -> int:
    """Return the number of images in one call of the model that suits the runtime of this folder here.

    Raises:
        ClassifierError: the folder has no manifest.
    """
    return _RUNTIMES[choose_runtime(folder, requested)].batch


def choose_runtime(folder: Path, requested: Runtime) -> Runtime:
    """Resolve ``auto`` for this folder on this machine; any other choice is kept.

    Raises:
        ClassifierError: the folder has no manifest.
    """
    if requested is not Runtime.AUTO:
        return requested
    files = read_manifest(folder).model_files
    has_gpu = gpu_is_visible(os.environ)
    fitting = (
        name
        for name, kind in _RUNTIMES.items()
        if kind.file in files and (kind.uses_gpu or not has_gpu) and kind.suits_processor()
    )
    return next(fitting, Runtime.TENSORFLOW)


def gpu_is_visible(environment: Mapping[str, str], devices: tuple[Path, ...] = GPU_DEVICES) -> bool:
    """Return True if this process may use an NVIDIA GPU, without asking CUDA."""
    if environment.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}:
        return False
    return any(device.exists() for device in devices)


def open_classifier(
    folder: Path, *, batch_size: int, runtime: Runtime = Runtime.AUTO, threads: int | None = None
) -> Classifier:
    """Load a classifier folder on the runtime that fits; call ``warm_up`` before the first image.

    Args:
        folder: of the classifier.
        batch_size: maximum number of images in one call.
        runtime: runs the model.
        threads: of ONNX Runtime in one call. Left alone it takes every processor that it sees, which in a container
            are those of the node; TensorFlow does its work on the GPU.

    Raises:
        ClassifierError: the folder is incomplete or changed, or the runtime cannot open the model.
    """
    return _RUNTIMES[choose_runtime(folder, runtime)].open(folder, batch_size, threads)


def _tensorflow(folder: Path, batch_size: int, _threads: int | None) -> Classifier:
    from worker.inference.keras_classifier import KerasClassifier

    return KerasClassifier(folder, batch_size=batch_size)


def _onnx(folder: Path, batch_size: int, threads: int | None) -> Classifier:
    from worker.inference.onnx_classifier import OnnxClassifier

    return OnnxClassifier(folder, batch_size=batch_size, threads=threads)


def _int8(folder: Path, batch_size: int, threads: int | None) -> Classifier:
    from worker.inference.onnx_classifier import OnnxClassifier

    return OnnxClassifier(folder, batch_size=batch_size, threads=threads, file=INT8_FILE)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A runtime: the model file that it opens, images in one call unless said otherwise, and how it is opened.

    ``suits_processor`` says whether it is chosen on this processor by itself.
    """

    file: str
    uses_gpu: bool
    batch: int
    open: Callable[[Path, int, int | None], Classifier]
    suits_processor: Callable[[], bool] = lambda: True


# In the order of preference. On a CPU larger batches are no faster (10.7 ms an image with 32, 10.2 with 8, two callers
# on two cores) and take more memory (691 MiB, 251): `python -m tests.benchmarks.batches`.
_RUNTIMES: Mapping[Runtime, _Kind] = MappingProxyType(
    {
        Runtime.INT8: _Kind(
            INT8_FILE, uses_gpu=False, batch=8, open=_int8, suits_processor=lambda: byte_products() is not None
        ),
        Runtime.ONNX: _Kind(ONNX_FILE, uses_gpu=False, batch=8, open=_onnx),
        Runtime.TENSORFLOW: _Kind(MODEL_FILE, uses_gpu=True, batch=32, open=_tensorflow),
    }
)
