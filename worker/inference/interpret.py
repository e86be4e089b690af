"""Numbers to words: a label, a confidence, and the reason for a review by a person."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest, ReviewReason
from worker.inference.classifier import Outputs
from worker.inference.errors import OutputInvalid
from worker.inference.explanation import Explanation, explain

SUM_TOLERANCE = 1e-3
TOP_CLASSES = 5
# What a review output above its limit says of the crop: it is none that was learned.
OF_NO_CROP = {ReviewReason.UNKNOWN_CROP, ReviewReason.NOT_A_LEAF}


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One of the most probable classes."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The answer for one image. Probabilities are 0 to 1.

    ``label`` is the class id with the highest probability (the first of them at a tie), ``confidence`` its
    probability, ``label_names`` its names by language; ``top`` holds up to ``TOP_CLASSES`` classes, best first.
    ``review_reason`` says why a person should review it; ``None`` if no review is needed. ``crop`` is the id of the
    most probable crop; ``None`` if the classifier names none, or a review output says that it shows none that it
    knows. ``embedding`` holds 64 signed bytes; ``None`` if the classifier gives none. ``explanation`` says what speaks
    for the label; ``None`` if nobody asked, or the classifier has no map.
    """

    label: str
    label_names: dict[str, str]
    confidence: float
    probabilities: dict[str, float]
    top: tuple[RankedClass, ...]
    review_reason: ReviewReason | None
    crop: str | None = None
    embedding: bytes | None = None
    explanation: Explanation | None = None

    @property
    def needs_review(self) -> bool:
        """True if a person should review the image."""
        return self.review_reason is not None


def interpret(
    outputs: NDArray[np.float32],
    manifest: Manifest,
    *,
    crops: NDArray[np.float32] | None = None,
    embedding: NDArray[np.int8] | None = None,
    evidence: NDArray[np.float32] | None = None,
) -> Interpretation:
    """Read the outputs of a classifier for one image.

    Args:
        outputs: (classes + review outputs,), in the order of the manifest.
        manifest: names the classes and holds the limits of the review.
        crops: (crops,), their probabilities in the order of the manifest; None if there are none.
        embedding: (64,); None if there is none.
        evidence: (rows, columns, classes), the map of the image, upright; None if there is none.

    Raises:
        OutputInvalid: a row has the wrong length, NaN, infinity, or probabilities that do not add up to one.
    """
    _check_rows(outputs[np.newaxis], manifest)
    values = [float(p) for p in outputs[: len(manifest.classes)]]
    by_label = dict(zip(manifest.labels, values, strict=True))
    order = sorted(range(len(values)), key=lambda index: -values[index])  # Stable: ties keep the manifest's order.
    best, review = order[0], outputs[len(manifest.classes) :]
    return Interpretation(
        label=manifest.labels[best],
        label_names=dict(manifest.classes[best].names),
        confidence=values[best],
        probabilities=by_label,
        top=tuple(RankedClass(manifest.labels[i], values[i]) for i in order[:TOP_CLASSES]),
        review_reason=_review_reason(values[best], review, manifest),
        crop=None if crops is None else _crop(crops, review, manifest),
        embedding=None if embedding is None else embedding.tobytes(),
        explanation=None if evidence is None else explain(evidence, best),
    )


def _review_reason(confidence: float, review: NDArray[np.float32], manifest: Manifest) -> ReviewReason | None:
    """Return the reason that is furthest above its limit; low confidence if there is no other."""
    shares = [(value / o.limit, o.reason) for o, value in zip(manifest.review_outputs, review, strict=True)]
    share, reason = max(shares, key=lambda pair: pair[0], default=(0.0, ReviewReason.LOW_CONFIDENCE))
    if share > 1:
        return reason
    return ReviewReason.LOW_CONFIDENCE if confidence < manifest.review_threshold else None


def _crop(crops: NDArray[np.float32], review: NDArray[np.float32], manifest: Manifest) -> str | None:
    """Return the best crop (the first at a tie), unless the review says that the image shows none of them."""
    _check_crops(crops[np.newaxis], manifest)
    if any(
        o.reason in OF_NO_CROP and value > o.limit for o, value in zip(manifest.review_outputs, review, strict=True)
    ):
        return None
    return manifest.crops[int(crops.argmax())].id


def check_outputs(outputs: Outputs, manifest: Manifest) -> None:
    """Check the numbers of a batch: all finite, the probabilities of classes and crops 0 to 1 and adding up to 1.

    Raises:
        OutputInvalid: a rule is broken; the message says which, and for which classifier.
    """
    _check_rows(outputs.rows, manifest)
    if outputs.crops is not None:
        _check_crops(outputs.crops, manifest)
    if outputs.maps is not None and not np.isfinite(outputs.maps).all():
        raise OutputInvalid(f"{_who(manifest)} gave NaN or infinity in a map.")


def _check_rows(rows: NDArray[np.float32], manifest: Manifest) -> None:
    who = _who(manifest)
    if rows.ndim != 2 or rows.shape[1] != manifest.row_length:  # noqa: PLR2004  # rows and columns
        review = f" and {len(manifest.review_outputs)} review outputs" if manifest.review_outputs else ""
        raise OutputInvalid(
            f"{who} gave an output of shape {rows.shape}, its manifest has {len(manifest.classes)} classes{review}."
        )
    if not np.isfinite(rows).all():
        raise OutputInvalid(f"{who} gave NaN or infinity as a probability.")
    _check_sums(rows[:, : len(manifest.classes)], who)


def _check_crops(crops: NDArray[np.float32], manifest: Manifest) -> None:
    if crops.shape[1] != len(manifest.crops):
        raise OutputInvalid(f"{_who(manifest)} gave {crops.shape[1]} crops, its manifest has {len(manifest.crops)}.")
    if not np.isfinite(crops).all():
        raise OutputInvalid(f"{_who(manifest)} gave NaN or infinity as the probability of a crop.")
    _check_sums(crops, f"{_who(manifest)}, for the crop,")


def _check_sums(probabilities: NDArray[np.float32], who: str) -> None:
    worst = max((abs(math.fsum(row) - 1.0) for row in probabilities.tolist()), default=0.0)
    if worst > SUM_TOLERANCE or probabilities.min(initial=0.0) < -SUM_TOLERANCE:
        msg = (
            f"{who} gave numbers that are no probabilities (their sum is off by {worst:.3g}): "
            "does the model lack its softmax?"
        )
        raise OutputInvalid(msg)


def _who(manifest: Manifest) -> str:
    return f"Classifier {manifest.name} {manifest.version}"
