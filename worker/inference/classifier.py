"""The interface of a classifier, the same for every runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """Bytes of one GPU that its runtime holds now, and the maximum since it started."""

    device: str
    current: int
    peak: int


@dataclass(frozen=True, slots=True)
class Outputs:
    """The numbers that a classifier gives for the n images of one batch.

    Attributes:
        rows: float32 (n, classes + review outputs), in the order of the manifest; the probabilities of the classes add
            up to one in each row.
        crops: float32 (n, crops), the probabilities of the crops in the order of the manifest; None if it names none.
        embeddings: int8 (n, 64), -127 to 127: alike pictures lie close to each other; None if it gives none.
        maps: float32 (n, rows, columns, classes), the evidence of each cell for each class; None if nobody asked for
            it, or the classifier gives none.
    """

    rows: NDArray[np.float32]
    crops: NDArray[np.float32] | None = None
    embeddings: NDArray[np.int8] | None = None
    maps: NDArray[np.float32] | None = None


class Classifier(Protocol):
    """A loaded model. Implementations are thread-safe: several chunks share one."""

    @property
    def manifest(self) -> Manifest:
        """The manifest: the meaning of the model's numbers, and how pixels must be prepared for it."""
        ...

    @property
    def runtime(self) -> str:
        """Name and version of the runtime, as ``onnxruntime 1.32.0``: part of the provenance of each result."""
        ...

    @property
    def batch_size(self) -> int:
        """Maximum number of images in one call."""
        ...

    def warm_up(self) -> None:
        """Run once, so that the first image is not slow, and check that the outputs fit the manifest.

        Raises:
            ClassifierError: the outputs do not fit.
        """
        ...

    def gpu_memory(self) -> Sequence[GpuMemory]:
        """List the GPUs that its runtime uses; empty if it runs on the processor."""
        ...

    def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:
        """Return the outputs of one batch.

        Args:
            batch: float32, (n, height, width, 3), prepared as the manifest says, 1 <= n <= ``batch_size``.
            maps: give the class activation maps too, if the classifier has them.

        Raises:
            OutputInvalid: the model gave another shape than its manifest says.
        """
        ...
