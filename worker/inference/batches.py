"""What every runtime has and does, whatever runs the model."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.classifier import GpuMemory
from worker.inference.interpret import check_outputs

CHANNELS = 3


def check_batch_size(batch_size: int) -> None:
    """Make sure that a batch holds an image, before anything is loaded.

    Raises:
        ValueError: it does not.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")


def check_shape(batch: NDArray[np.float32], manifest: Manifest, batch_size: int) -> None:
    """Make sure that a batch is (1 to ``batch_size``, height, width, 3).

    Raises:
        ValueError: it is not.
    """
    wanted = (*manifest.input_size, CHANNELS)
    if batch.shape[1:] != wanted or not 1 <= len(batch) <= batch_size:
        raise ValueError(f"the batch must be (1 to {batch_size}, {wanted}), got {batch.shape}")


class Loaded(ABC):
    """What both runtimes know of a loaded classifier. ``classify`` is theirs."""

    def __init__(self, manifest: Manifest, *, batch_size: int, runtime: str) -> None:
        self._manifest = manifest
        self._batch_size = batch_size
        self._runtime = runtime

    @property
    def manifest(self) -> Manifest:
        """What the model's numbers mean."""
        return self._manifest

    @property
    def runtime(self) -> str:
        """What runs the model, with its version."""
        return self._runtime

    @property
    def batch_size(self) -> int:
        """Most images in one call."""
        return self._batch_size

    @abstractmethod
    def classify(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``Classifier.classify``."""

    def gpu_memory(self) -> Sequence[GpuMemory]:
        """See ``Classifier.gpu_memory``."""
        return ()

    def warm_up(self) -> None:
        """Run the model twice and check that it answers as its manifest says.

        Raises:
            OutputInvalid: it does not.
        """
        shape = (self._batch_size, *self._manifest.input_size, CHANNELS)
        noise = np.random.default_rng(0).random(shape, dtype=np.float32)
        check_outputs(self.classify(noise), self._manifest)
        check_outputs(self.classify(np.zeros(shape, np.float32)), self._manifest)
