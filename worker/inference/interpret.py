"""Probabilities to words: a label, a confidence, and whether a person should look."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.errors import OutputInvalid

SUM_TOLERANCE = 1e-3
TOP_CLASSES = 5


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One class of the list of the most probable."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The answer for one image. Probabilities are 0 to 1.

    ``label`` is the class id with the highest probability (the first of them at a tie), ``confidence`` its
    probability, ``label_names`` its names by language; ``top`` holds up to ``TOP_CLASSES`` classes, best first.
    """

    label: str
    label_names: dict[str, str]
    confidence: float
    probabilities: dict[str, float]
    top: tuple[RankedClass, ...]
    needs_review: bool


def interpret(probabilities: NDArray[np.float32], manifest: Manifest) -> Interpretation:
    """Read one row of a classifier's output.

    Args:
        probabilities: (classes,), in the order of ``manifest.classes``.
        manifest: names the classes and holds the review threshold.

    Raises:
        OutputInvalid: the row has the wrong length, NaN, infinity, or does not add up to one.
    """
    check_probabilities(probabilities[np.newaxis], manifest)
    values = [float(p) for p in probabilities]
    by_label = dict(zip(manifest.labels, values, strict=True))
    order = sorted(range(len(values)), key=lambda index: -values[index])  # Stable: ties keep the manifest's order.
    best = order[0]
    return Interpretation(
        label=manifest.labels[best],
        label_names=dict(manifest.classes[best].names),
        confidence=values[best],
        probabilities=by_label,
        top=tuple(RankedClass(manifest.labels[i], values[i]) for i in order[:TOP_CLASSES]),
        needs_review=values[best] < manifest.review_threshold,
    )


def check_probabilities(rows: NDArray[np.float32], manifest: Manifest) -> None:
    """Make sure that rows (n, classes) are probabilities: finite, 0 to 1, adding up to one within 1e-3.

    Raises:
        OutputInvalid: they are not; the message says which rule and for which classifier.
    """
    who = f"Classifier {manifest.name} {manifest.version}"
    if rows.ndim != 2 or rows.shape[1] != len(manifest.classes):  # noqa: PLR2004  # rows and columns
        raise OutputInvalid(
            f"{who} gave an output of shape {rows.shape}, its manifest has {len(manifest.classes)} classes."
        )
    if not np.isfinite(rows).all():
        raise OutputInvalid(f"{who} gave NaN or infinity as a probability.")
    worst = max((abs(math.fsum(row) - 1.0) for row in rows.tolist()), default=0.0)
    if worst > SUM_TOLERANCE or rows.min(initial=0.0) < -SUM_TOLERANCE:
        msg = (
            f"{who} gave numbers that are no probabilities (their sum is off by {worst:.3g}): "
            "does the model lack its softmax?"
        )
        raise OutputInvalid(msg)
