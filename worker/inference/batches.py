"""The part of a classifier that is the same on every runtime."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.classifier import GpuMemory, Outputs
from worker.inference.interpret import check_outputs
from worker.inference.outputs import Arrays, outputs_of

CHANNELS = 3


def check_batch_size(batch_size: int) -> None:
    """Check that a batch holds at least one image, before anything is loaded.

    Raises:
        ValueError: the batch size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")


def check_shape(batch: NDArray[np.float32], manifest: Manifest, batch_size: int) -> None:
    """Check that a batch is (1 to ``batch_size``, height, width, 3).

    Raises:
        ValueError: the batch has another shape.
    """
    expected = (*manifest.input_size, CHANNELS)
    if batch.shape[1:] != expected or not 1 <= len(batch) <= batch_size:
        raise ValueError(f"the batch must be (1 to {batch_size}, {expected}), got {batch.shape}")


class LoadedClassifier(ABC):
    """Base of the runtimes. Each of them has its own ``arrays``."""

    def __init__(self, manifest: Manifest, *, batch_size: int, runtime: str) -> None:
        self._manifest = manifest
        self._batch_size = batch_size
        self._runtime = runtime

    @property
    def manifest(self) -> Manifest:
        """The manifest, which says what the model's numbers mean."""
        return self._manifest

    @property
    def runtime(self) -> str:
        """Name and version of the runtime."""
        return self._runtime

    @property
    def batch_size(self) -> int:
        """Maximum number of images in one call."""
        return self._batch_size

    @abstractmethod
    def arrays(self, batch: NDArray[np.float32], *, maps: bool = False) -> Arrays:
        """Return what the model gives for a batch, by the names of ``shapes_of``; thread-safe.

        Raises:
            ValueError: the batch has another shape.
        """

    def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:
        """See ``Classifier.classify``.

        Raises:
            ValueError: the batch has another shape.
            OutputInvalid: an output has another shape than the manifest says.
        """
        return outputs_of(self.arrays(batch, maps=maps), self._manifest)

    def gpu_memory(self) -> Sequence[GpuMemory]:
        """See ``Classifier.gpu_memory``."""
        return ()

    def warm_up(self) -> None:
        """Run the model twice and check that its outputs fit the manifest.

        Raises:
            OutputInvalid: they do not fit.
        """
        shape = (self._batch_size, *self._manifest.input_size, CHANNELS)
        noise = np.random.default_rng(0).random(shape, dtype=np.float32)
        check_outputs(self.classify(noise, maps=True), self._manifest)
        check_outputs(self.classify(np.zeros(shape, np.float32)), self._manifest)
