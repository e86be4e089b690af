"""Calibration: the temperature with which a confidence of 0.9 is right nine times of ten, and its error.

(Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML 2017.)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
TEMPERATURES = np.geomspace(0.25, 4.0, 161)
# A handful of held-out images that are all right would ask for the greatest confidence there is; so the temperature
# begins at 1, and must earn each doubling or halving by so much log-likelihood in all.
PRIOR = 5.0


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Find the temperature that fits held-out images best, 0.25 to 4; near 1 if they are few.

    Args:
        logits: (n, classes).
        labels: (n,) the right class of each.
    """
    losses = [len(labels) * _loss(softmax(logits / t), labels) + PRIOR * np.log2(t) ** 2 for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return rows of probabilities."""
    shifted = np.exp(np.asarray(logits, np.float64) - logits.max(axis=1, keepdims=True))
    rows: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return rows


def _loss(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    return float(-np.mean(np.log(probabilities[np.arange(len(labels)), labels] + 1e-12)))


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Return (mean confidence, share of right answers, images) for each of ``bins`` equal steps with images."""
    step = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[step == b].mean()), float(right[step == b].mean()), int((step == b).sum()))
        for b in range(bins)
        if (step == b).any()
    ]


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean of abs(confidence - share right) over the bins, by images."""
    if not len(confidence):
        return 0.0
    return sum(abs(c - r) * n for c, r, n in reliability(confidence, right, bins=bins)) / len(confidence)
