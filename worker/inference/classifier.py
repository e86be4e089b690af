"""What the pipeline needs of a classifier, whatever runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """Bytes of one GPU that its runtime holds now, and held at most since it started."""

    device: str
    current: int
    peak: int


class Classifier(Protocol):
    """A loaded model. Implementations are thread-safe: several chunks share one."""

    @property
    def manifest(self) -> Manifest:
        """What its numbers mean and how pixels must be prepared for it."""
        ...

    @property
    def runtime(self) -> str:
        """What runs it, with its version, as ``onnxruntime 1.32.0``: part of the provenance of each result."""
        ...

    @property
    def batch_size(self) -> int:
        """Most images in one call."""
        ...

    def warm_up(self) -> None:
        """Run once, so that the first image is not slow, and check that the outputs fit the manifest.

        Raises:
            ClassifierError: they do not.
        """
        ...

    def gpu_memory(self) -> Sequence[GpuMemory]:
        """The GPUs that its runtime uses; none where it runs on the processor."""
        ...

    def classify(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The outputs of one batch.

        Args:
            batch: float32, (n, height, width, 3), prepared as the manifest says, 1 <= n <= ``batch_size``.

        Returns:
            float32, (n, classes + review outputs), in the order of the manifest; the probabilities of the classes
            add up to one in each row.
        """
        ...
