"""What results look like on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from api.geography.schemas import PlaceOut, place_out
from api.jobs.schemas import ClassifierOut, Counts
from shared.contracts.manifest import Manifest, ReviewReason
from shared.contracts.states import ImageErrorCode, ImageStatus, JobState
from shared.db.models import Classifier, Correction, Result
from shared.jobs.results import StoredResult

# Probabilities are stored as 32-bit numbers, which have about seven digits.
DIGITS = 6

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
]


class RankedClass(BaseModel):
    """A class and its probability, 0 to 1."""

    label: str
    probability: float


class ImageError(BaseModel):
    """Why an image has no classification."""

    code: ImageErrorCode
    detail: str | None


class Provenance(BaseModel):
    """What exactly gave an answer: enough to get the same one again."""

    sha256: str = Field(description="Of the classifier's weights.")
    runtime: str | None = Field(description="What ran it; `null` in results from before this was kept.")
    preprocessing: str = Field(description="Names the road from bytes to numbers; the same for the same pixels.")


class ResultCorrection(BaseModel):
    """What a person says of the image; the prediction stands beside it as it is."""

    label: str
    note: str | None
    corrected_by: str | None
    corrected_at: datetime


class ResultOut(BaseModel):
    """What became of one image. ``confidence`` is the probability of ``label``, 0 to 1."""

    seq: int
    name: str
    status: ImageStatus
    label: str | None
    label_names: dict[str, str] | None
    confidence: float | None
    probabilities: dict[str, float] | None
    top: list[RankedClass] = Field(description="Every class, the most probable first.")
    needs_review: bool | None = Field(description="Whether a person should look before anything is done.")
    review_reason: ReviewReason | None = Field(description="Why; `null` where nobody needs to look.")
    error: ImageError | None
    classifier: ClassifierOut | None = Field(description="`null` where no classifier saw the image.")
    provenance: Provenance | None = Field(description="What exactly gave this answer; `null` as `classifier`.")
    metadata: dict[str, Any]
    place: PlaceOut
    correction: ResultCorrection | None = Field(description="What a person says; `null` where nobody did.")
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


def _correction(given: Correction | None) -> ResultCorrection | None:
    if given is None:
        return None
    return ResultCorrection(
        label=given.label, note=given.note, corrected_by=given.corrected_by, corrected_at=given.corrected_at
    )


class ResultWriter:
    """Turns rows into results; reads the manifest of the job's classifier once for all of them."""

    def __init__(self, classifier: Classifier | None) -> None:
        manifest = None if classifier is None else Manifest.model_validate(classifier.manifest)
        self._classifier = (
            None if classifier is None else ClassifierOut(name=classifier.name, version=classifier.version)
        )
        self._preprocessing = "" if manifest is None else manifest.preprocessing_id
        self._sha256 = "" if classifier is None else classifier.sha256
        self._labels = () if manifest is None else manifest.labels
        self._names = {} if manifest is None else {c.id: c.names for c in manifest.classes}

    def write(self, row: StoredResult) -> ResultOut:
        """One result."""
        result = row.result
        ranked = self.probabilities(result)
        return ResultOut(
            seq=result.seq,
            name=row.name,
            status=ImageStatus(result.status),
            label=result.label,
            label_names=None if result.label is None else self._names.get(result.label, {}),
            confidence=None if result.confidence is None else round(result.confidence, DIGITS),
            probabilities=ranked,
            top=[
                RankedClass(label=label, probability=probability)
                for label, probability in sorted((ranked or {}).items(), key=lambda pair: -pair[1])
            ],
            needs_review=result.needs_review,
            review_reason=None if result.review_reason is None else ReviewReason(result.review_reason),
            error=None
            if result.error_code is None
            else ImageError(code=ImageErrorCode(result.error_code), detail=result.error_detail),
            classifier=None if result.classifier_id is None else self._classifier,
            provenance=None if result.classifier_id is None else self._provenance(result),
            metadata=row.metadata,
            place=place_out(row.place),
            correction=_correction(row.correction),
            finished_at=result.finished_at,
        )

    def _provenance(self, result: Result) -> Provenance:
        return Provenance(sha256=self._sha256, runtime=result.runtime, preprocessing=self._preprocessing)

    def probabilities(self, result: Result) -> dict[str, float] | None:
        """Class to probability, in the order of the classifier's classes."""
        if result.probabilities is None:
            return None
        return {label: round(p, DIGITS) for label, p in zip(self._labels, result.probabilities, strict=True)}
