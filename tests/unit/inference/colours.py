"""A classifier that needs no model."""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from shared.contracts.outputs import EMBEDDING_LENGTH
from worker.inference.classifier import GpuMemory, Outputs
from worker.inference.outputs import EMBEDDING_SCALE


class ColourClassifier:
    """Keeps the Protocol of a classifier: says which of red, green and blue a picture has most of.

    It has what its manifest names: a map (the colours of each cell, whose mean over the cells decides), crops (the
    first colours are crops, too), and an embedding (the mean of each colour).
    """

    def __init__(self, manifest: Manifest, batch_size: int = 4) -> None:
        self._manifest = manifest
        self._batch_size = batch_size
        self._lock = threading.Lock()
        self.batches: list[int] = []

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def batch_size(self) -> int:
        return self._batch_size

    @property
    def runtime(self) -> str:
        return "numpy"

    def warm_up(self) -> None:
        return

    def gpu_memory(self) -> Sequence[GpuMemory]:
        return ()

    def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:
        with self._lock:
            assert batch.dtype == np.float32
            assert batch.shape[1:] == (*self._manifest.input_size, 3)
            assert 1 <= len(batch) <= self._batch_size
            self.batches.append(len(batch))
            powers = np.exp(batch.mean(axis=(1, 2)) * 10)
            rows: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
            named = self._manifest.outputs
            size = None if named is None or not maps else named.map_size
            return Outputs(
                rows,
                crops=_crops(powers, len(self._manifest.crops)),
                embeddings=_embeddings(batch) if self._manifest.has_embedding else None,
                maps=None if size is None else _cells(batch, *size) * 10,
            )


def _crops(powers: NDArray[np.float32], count: int) -> NDArray[np.float32] | None:
    """Return the probabilities of so many crops: (n, crops)."""
    if not count:
        return None
    crops: NDArray[np.float32] = powers[:, :count] / powers[:, :count].sum(axis=1, keepdims=True)
    return crops


def _embeddings(batch: NDArray[np.float32]) -> NDArray[np.int8]:
    embeddings = np.zeros((len(batch), EMBEDDING_LENGTH), np.int8)
    embeddings[:, : batch.shape[3]] = np.rint(np.clip(batch.mean(axis=(1, 2)), -1, 1) * EMBEDDING_SCALE)
    return embeddings


def _cells(batch: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Return the mean of each cell: (n, rows, columns, colours)."""
    n, height, width, colours = batch.shape
    cells: NDArray[np.float32] = batch.reshape(n, rows, height // rows, columns, width // columns, colours).mean(
        axis=(2, 4)
    )
    return cells
