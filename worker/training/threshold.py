"""The confidence below which a person should look, from images that the model has not learned."""

import numpy as np
from numpy.typing import NDArray

TARGET_ACCURACY = 0.98
LOWEST, HIGHEST, STEP = 0.5, 0.95, 0.05


def review_threshold(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The lowest of 0.50, 0.55 ... 0.95 above which the model is right in at least 98 of 100 cases; else 0.95.

    Args:
        probabilities: (n, classes) of held-out images.
        labels: (n,) the right class of each.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    for threshold in np.arange(LOWEST, HIGHEST, STEP):
        sure = confidence >= threshold
        if sure.any() and right[sure].mean() >= TARGET_ACCURACY:
            return round(float(threshold), 2)
    return HIGHEST
