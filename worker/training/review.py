"""Limits above which a person should review an image, from held-out images.

Three of the review outputs compare a reason with the best class: p(reason) / (p(reason) + p(best class)). The fourth
is the share of the features that the pictures of the training do not explain: the residual of a principal component
analysis (as in ViM, Wang et al., CVPR 2022), which grows on everything that the network has never seen. The fifth,
where the network names the crop, is 1 - p(best crop): a plant that it has not learned looks a little like many.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import ReviewOutput, ReviewReason
from shared.contracts.outputs import EMBEDDING_LENGTH
from worker.training.network import REVIEW_CLASSES

Rows = NDArray[np.float32]

COMPONENTS = 128
# So many of the numbers of the embeddings of the training lie within -1 to 1; the others are cut off.
EMBEDDED_SHARE = 0.999
UNFAMILIAR = "unfamiliar"
# How many of the right answers each reason may send to a person; together less than five of a hundred.
SHARES = {
    ReviewReason.OTHER_SYMPTOM.value: 0.012,
    ReviewReason.NOT_A_LEAF.value: 0.005,
    ReviewReason.BLURRED.value: 0.005,
    UNFAMILIAR: 0.012,
    ReviewReason.UNKNOWN_CROP.value: 0.015,
}
LOW_CONFIDENCE_SHARE = 0.008
MIN_LIMIT = 0.02
EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Subspace:
    """The directions in which the features of the training vary most.

    ``mean``: (features,); ``directions``: (features, components), orthonormal, the most varied first; ``scale`` divides
    the projection on the first ``EMBEDDING_LENGTH`` of them for an embedding of -1 to 1.
    """

    mean: Rows
    directions: Rows
    scale: float = 1.0

    def unexplained(self, features: Rows) -> NDArray[np.float64]:
        """Return the part of each length that lies outside of the subspace, 0 to 1; (n,) of (n, features)."""
        centred = np.asarray(features, np.float64) - self.mean
        inside = np.linalg.norm(centred @ self.directions, axis=1) ** 2
        whole = np.linalg.norm(centred, axis=1) ** 2
        return np.asarray(np.sqrt(np.clip(whole - inside, 0, None) / (whole + EPSILON)))


def fit_subspace(features: Rows, *, components: int = COMPONENTS) -> Subspace:
    """Find the directions in which the features of the training vary most."""
    mean = features.mean(axis=0)
    # Where nothing is left outside, the unexplained is the noise of rounding.
    count = max(1, min(components, features.shape[1] // 3, len(features) // 2))
    covariance = np.cov(np.asarray(features, np.float64), rowvar=False)
    _, vectors = np.linalg.eigh(covariance)
    directions = vectors[:, ::-1][:, :count].astype(np.float32)
    embedded = np.abs((features - mean) @ directions[:, :EMBEDDING_LENGTH])
    return Subspace(mean.astype(np.float32), directions, float(np.quantile(embedded, EMBEDDED_SHARE)) or 1.0)


def odds(probabilities: NDArray[np.float64], classes: int) -> dict[str, NDArray[np.float64]]:
    """Return p(reason) / (p(reason) + p(best class)) for each reason, of rows (n, classes + 3)."""
    best = probabilities[:, :classes].max(axis=1)
    return {
        reason.value: probabilities[:, classes + i] / (probabilities[:, classes + i] + best + EPSILON)
        for i, reason in enumerate(REVIEW_CLASSES)
    }


def review_outputs(values: dict[str, NDArray[np.float64]]) -> tuple[ReviewOutput, ...]:
    """Choose the limits by the values of each output on held-out images with a right answer."""
    reasons = {UNFAMILIAR: ReviewReason.NOT_A_LEAF}
    return tuple(
        ReviewOutput(
            name=name,
            reason=reasons.get(name) or ReviewReason(name),
            limit=round(max(MIN_LIMIT, float(np.quantile(values[name], 1 - share))), 4),
        )
        for name, share in SHARES.items()
        if name in values
    )


def review_threshold(confidence: NDArray[np.float64]) -> float:
    """Return the confidence that 99 of 100 right answers on held-out images reach; 0.5 to 0.95."""
    return round(float(np.clip(np.quantile(confidence, LOW_CONFIDENCE_SHARE), 0.5, 0.95)), 3)
