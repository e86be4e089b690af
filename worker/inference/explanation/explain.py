"""The evidence for one label, of the evidence of each cell for each class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.contracts.explanations import pack

FULL = 255  # of the cell that says most for the label


@dataclass(frozen=True, slots=True)
class Explanation:
    """The part that each cell of a picture has in its label.

    ``values`` has one byte for each cell, rows first: 255 for the cell that says most for the label, 0 for one that
    says nothing for it; all are 0 where nothing does. The cells cover the picture as the classifier saw it.
    """

    rows: int
    columns: int
    values: bytes

    @property
    def packed(self) -> bytes:
        """The form in which it is stored (``shared.contracts.explanations``)."""
        return pack(self.columns, self.values)


def explain(evidence: NDArray[np.float32], label: int) -> Explanation:
    """Say what speaks for a label, and where.

    A map shows the evidence for each class alone, and the network decides by the differences: what speaks for every
    class speaks for none. So the mean of the others is taken off (docs/decisions/0035).

    Args:
        evidence: float32 (rows, columns, classes), of the class activation map; at least two classes.
        label: the number of the class, in the order of the manifest.
    """
    rows, columns, classes = evidence.shape
    exact = evidence.astype(np.float64)
    others = (exact.sum(axis=2) - exact[:, :, label]) / (classes - 1)
    speaks = np.maximum(exact[:, :, label] - others, 0.0)
    largest = speaks.max()
    values = np.rint(FULL * (speaks / largest)) if largest > 0 else speaks
    return Explanation(rows, columns, values.astype(np.uint8).tobytes())
