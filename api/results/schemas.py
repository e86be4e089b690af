"""Results on the wire."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.geography.schemas import PlaceOut, place_out
from api.wire.jobs import Counts, PinnedClassifier
from shared.classifiers.registry import manifest_of
from shared.contracts.explanations import Cells, cells_of
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageErrorCode, ImageStatus, JobState
from shared.db.models import Classifier
from shared.jobs.results import Room, StoredResult

# Of a result and of each class as JSON, without their texts.
ROW_BYTES = 1030
CLASS_BYTES = 60
# Probabilities are stored as 32-bit numbers, which have about seven digits.
DIGITS = 6
CROP_WORDS = (
    "id of the most probable crop. `null` where the classifier names none, the image shows none that it has learned, "
    "or it was answered in tiles."
)
EXPLANATION_WORDS = (
    "rows of cells over the upright photograph, 0 to 255: what speaks for the label more than for the other classes. "
    "`null` where the job does not ask for it, the classifier has no map, or the photograph was answered in tiles."
)

EXAMPLES: list[JsonValue] = [
    {
        "seq": 7,
        "name": "DJI_0007.JPG",
        "status": "succeeded",
        "label": "rust",
        "label_names": {"en": "rust", "es": "roya"},
        "confidence": 0.97,
        "probabilities": {"healthy": 0.01, "powdery_mildew": 0.02, "rust": 0.97},
        "top": [
            {"label": "rust", "probability": 0.97},
            {"label": "powdery_mildew", "probability": 0.02},
            {"label": "healthy", "probability": 0.01},
        ],
        "needs_review": False,
        "review_reason": None,
        "crop": "apple",
        "tiles": None,
        "explanation": [[0, 12, 31], [8, 255, 64], [0, 21, 9]],
        "error": None,
        "classifier": {"name": "leaf", "version": "1"},
        "provenance": {
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "runtime": "onnxruntime 1.32.0",
            "preprocessing": "scaled-bicubic-3f2a9c10",
        },
        "metadata": {"row": "7", "bed": "A"},
        "place": {
            "latitude": 41.6532,
            "longitude": 0.6187,
            "altitude": 226.5,
            "heading": 90.0,
            "captured_at": "2026-06-01T07:31:05Z",
            "source": "file",
            "fault": None,
        },
        "correction": {
            "label": "healthy",
            "note": "dust, no rust",
            "corrected_by": "Ana",
            "corrected_at": "2026-06-02T09:12:00Z",
        },
        "finished_at": "2026-06-01T08:01:05Z",
    },
    {
        "seq": 9,
        "name": "broken.jpg",
        "status": "failed",
        "label": None,
        "label_names": None,
        "confidence": None,
        "probabilities": None,
        "top": [],
        "needs_review": None,
        "review_reason": None,
        "crop": None,
        "tiles": None,
        "explanation": None,
        "error": {"code": "truncated", "detail": "the file ends in the middle of the picture; copy it again"},
        "classifier": None,
        "provenance": None,
        "metadata": {},
        "place": {
            "latitude": None,
            "longitude": None,
            "altitude": None,
            "heading": None,
            "captured_at": None,
            "source": None,
            "fault": "not_read",
        },
        "correction": None,
        "finished_at": "2026-06-01T08:01:05Z",
    },
    {
        "seq": 10,
        "name": "DJI_0010.JPG",
        "status": "succeeded",
        "label": "rust",
        "label_names": {"en": "rust", "es": "roya"},
        "confidence": 0.91,
        "probabilities": None,
        "top": [],
        "needs_review": False,
        "review_reason": None,
        "crop": None,
        "tiles": {
            "total": 221,
            "counted": 170,
            "labels": {"healthy": 140, "rust": 30},
            "review": {"not_a_leaf": 48, "low_confidence": 3},
            "skipped": {},
        },
        "explanation": None,
        "error": None,
        "classifier": {"name": "leaf", "version": "1"},
        "provenance": {
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "runtime": "onnxruntime 1.32.0",
            "preprocessing": "scaled-bicubic-3f2a9c10",
        },
        "metadata": {},
        "place": {
            "latitude": 41.6533,
            "longitude": 0.6188,
            "altitude": 226.5,
            "heading": 90.0,
            "captured_at": "2026-06-01T07:31:09Z",
            "source": "file",
            "fault": None,
        },
        "correction": None,
        "finished_at": "2026-06-01T08:01:06Z",
    },
]


# A page has a thousand of these and ten thousand fields. They come from our own columns, so nothing is to be checked
# again: as pydantic models they took four times as long to make, and half as long again to write.


@dataclass(slots=True)
class RankedClass:
    """A class and its probability, 0 to 1."""

    label: str
    probability: float


@dataclass(slots=True)
class ImageError:
    """The reason why an image has no classification."""

    code: ImageErrorCode
    detail: str | None


@dataclass(slots=True)
class Provenance:
    """The origin of a result: enough to get the same one again."""

    sha256: Annotated[str, Field(description="Of the classifier's weights.")]
    runtime: Annotated[
        str | None, Field(description="The program that ran it; `null` in results from before this was stored.")
    ]
    preprocessing: Annotated[
        str, Field(description="Name of the steps from bytes to numbers; the same for the same pixels.")
    ]


@dataclass(slots=True)
class ResultCorrection:
    """The label that a person gave to the image; the prediction is unchanged."""

    label: str
    note: str | None
    corrected_by: str | None
    corrected_at: datetime


@dataclass(slots=True)
class TileSumsOut:
    """The tiles of an image by their answers: those that count, those that ask for a person, those left out."""

    total: Annotated[int, Field(description="All tiles: the sum of the others.")]
    counted: Annotated[int, Field(description="Tiles with a label and no reason for a review: the sum of `labels`.")]
    labels: Annotated[dict[str, int], Field(description="Tiles that count, by class id.")]
    review: Annotated[dict[str, int], Field(description="Tiles that a person should review, by the reason.")]
    skipped: Annotated[dict[str, int], Field(description="Tiles that were not classified, by the reason.")]


@dataclass(slots=True)
class ResultOut:
    """The outcome of one image.

    ``confidence`` is the probability of ``label``, 0 to 1. An image that is answered by tiles has ``tiles``, no
    ``probabilities``, and as ``confidence`` the mean of the tiles that count and carry the label. If its tiles decide
    nothing, ``label`` is null although it has ``succeeded``: it is undecided, and not healthy; ``needs_review`` is true
    and ``review_reason`` says why.
    """

    seq: int
    name: str
    status: ImageStatus
    label: str | None
    label_names: dict[str, str] | None
    confidence: float | None
    probabilities: dict[str, float] | None
    top: Annotated[list[RankedClass], Field(description="Every class, the most probable first.")]
    needs_review: Annotated[bool | None, Field(description="A person should review the image before anything is done.")]
    review_reason: Annotated[
        ReviewReason | None, Field(description="The reason for a review; `null` when none is needed.")
    ]
    crop: Annotated[str | None, Field(description=CROP_WORDS[0].upper() + CROP_WORDS[1:])]
    tiles: Annotated[TileSumsOut | None, Field(description="`null` for an image that was answered as a whole.")]
    explanation: Annotated[Cells | None, Field(description=EXPLANATION_WORDS[0].upper() + EXPLANATION_WORDS[1:])]
    error: ImageError | None
    classifier: Annotated[PinnedClassifier | None, Field(description="`null` where no classifier saw the image.")]
    provenance: Annotated[Provenance | None, Field(description="Origin of this result; `null` as `classifier`.")]
    metadata: dict[str, Any]
    place: PlaceOut
    correction: Annotated[
        ResultCorrection | None, Field(description="The correction by a person; `null` when there is none.")
    ]
    finished_at: datetime


class JobStatus(BaseModel):
    """The job as it was before this page was read: when it is terminal and nothing more follows, that was all."""

    state: JobState
    counts: Counts


class ResultPage(BaseModel):
    """A page of results, in the order in which they were stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": EXAMPLES,
                    "after": "64",
                    "has_more": False,
                    "job": {
                        "state": "running",
                        "counts": {
                            "total": 60,
                            "pending": 58,
                            "succeeded": 1,
                            "failed": 1,
                            "rejected": 0,
                            "canceled": 0,
                        },
                    },
                }
            ]
        }
    )

    results: list[ResultOut]
    after: str
    has_more: bool
    job: JobStatus


# Looking a value up is ten times as fast as calling its enumeration.
_STATUSES = {one.value: one for one in ImageStatus}
_REASONS = {one.value: one for one in ReviewReason}
_CODES = {one.value: one for one in ImageErrorCode}


class ResultWriter:
    """A writer of rows as results, which reads the manifest of the job's classifier once for all of them."""

    def __init__(self, classifier: Classifier | None) -> None:
        manifest = None if classifier is None else manifest_of(classifier)
        self._classifier = (
            None if classifier is None else PinnedClassifier(name=classifier.name, version=classifier.version)
        )
        self._preprocessing = "" if manifest is None else manifest.preprocessing_id
        self._sha256 = "" if classifier is None else classifier.sha256
        self._labels = () if manifest is None else manifest.labels
        self._names = {} if manifest is None else {c.id: c.names for c in manifest.classes}

    def room(self, max_bytes: int) -> Room:
        """Return the bytes of a page that are left for these results: each class stands twice in a row."""
        names = max((len(json.dumps(names)) for names in self._names.values()), default=0)
        labels = sum(map(len, self._labels))
        return Room(max_bytes, ROW_BYTES + names, CLASS_BYTES + 2 * labels // max(1, len(self._labels)))

    def write(self, row: StoredResult) -> ResultOut:
        """Write one result."""
        ranked = self.probabilities(row.probabilities)
        seen = row.classifier_id is not None
        return ResultOut(
            seq=row.seq,
            name=row.name,
            status=_STATUSES[row.status],
            label=row.label,
            label_names=None if row.label is None else self._names.get(row.label, {}),
            confidence=None if row.confidence is None else round(row.confidence, DIGITS),
            probabilities=ranked,
            top=[] if ranked is None else _top(ranked),
            needs_review=row.needs_review,
            review_reason=None if row.review_reason is None else _REASONS[row.review_reason],
            crop=row.crop,
            tiles=None if row.tile_sums is None else tile_sums_out(row.tile_sums),
            explanation=None if row.explanation is None else cells_of(row.explanation),
            error=None if row.error_code is None else ImageError(_CODES[row.error_code], row.error_detail),
            classifier=self._classifier if seen else None,
            provenance=Provenance(self._sha256, row.runtime, self._preprocessing) if seen else None,
            metadata=row.metadata or {},
            place=place_out(row.place),
            correction=None if row.correction is None else ResultCorrection(*row.correction),
            finished_at=row.finished_at,
        )

    def probabilities(self, stored: Sequence[float] | None) -> dict[str, float] | None:
        """Map classes to probabilities, in the order of the classifier's classes."""
        if stored is None:
            return None
        return {label: round(p, DIGITS) for label, p in zip(self._labels, stored, strict=True)}


def tile_sums_out(stored: Mapping[str, dict[str, int]]) -> TileSumsOut:
    """Return the column ``results.tile_sums`` as clients see it."""
    labels, review, skipped = stored["labels"], stored["review"], stored["skipped"]
    counted = sum(labels.values())
    total = counted + sum(review.values()) + sum(skipped.values())
    return TileSumsOut(total=total, counted=counted, labels=labels, review=review, skipped=skipped)


def _top(probabilities: dict[str, float]) -> list[RankedClass]:
    ranked = sorted(probabilities.items(), key=itemgetter(1), reverse=True)
    return [RankedClass(label, probability) for label, probability in ranked]
