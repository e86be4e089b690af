"""Corrections on the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.fields import RequestBody
from api.wire.jobs import job_path
from shared.contracts import stored
from shared.corrections.store import BY_LENGTH, LABEL_PATTERN, NOTE_LENGTH, CorrectionRow

DIGITS = 6

EXAMPLE: dict[str, Any] = {
    "seq": 7,
    "name": "DJI_0007.JPG",
    "label": "powdery_mildew",
    "note": "white coating, not rust",
    "corrected_by": "Ana",
    "corrected_at": "2026-06-02T09:12:00Z",
    "predicted": "rust",
    "confidence": 0.61,
    "links": {"file": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/images/7/file"},
}
TABLE_EXAMPLE = "name,label,note\r\nDJI_0007.JPG,powdery_mildew,white coating\r\nDJI_0009.JPG,healthy,\r\n"

CorrectionLabel = Annotated[
    str, Field(pattern=LABEL_PATTERN, description="Written as class ids are; it need not be a class of the classifier.")
]
Note = Annotated[str, Field(min_length=1, max_length=NOTE_LENGTH), AfterValidator(stored.text)]
By = Annotated[
    str,
    Field(min_length=1, max_length=BY_LENGTH, description="Name of the person; the name of the API key if left out."),
    AfterValidator(stored.text),
]


class PutCorrection(RequestBody):
    """The label that a person gives to an image."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"label": "healthy"}, {"label": "powdery_mildew", "note": "white coating"}]}
    )

    label: CorrectionLabel
    note: Note | None = None
    corrected_by: By | None = None


class CorrectionLinks(BaseModel):
    """Paths on this server."""

    file: str


class CorrectionOut(BaseModel):
    """A correction beside the prediction. ``predicted`` is ``null`` when there is no result (yet)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    seq: int
    name: str
    label: str
    note: str | None
    corrected_by: str | None
    corrected_at: datetime
    predicted: str | None
    confidence: float | None
    links: CorrectionLinks


class CorrectionPage(BaseModel):
    """The corrections of a job, in the order of its images."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"corrections": [EXAMPLE], "after": "7", "has_more": False}]}
    )

    corrections: list[CorrectionOut]
    after: str
    has_more: bool


class Imported(BaseModel):
    """The outcome of an import: all of it was taken."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"corrections": 2, "changed": 1}]})

    corrections: int = Field(description="Lines with a label.")
    changed: int = Field(description="Lines that changed a correction or made a new one.")


def correction_out(job_id: uuid.UUID, row: CorrectionRow) -> CorrectionOut:
    """Make one from a row of ``read_corrections``."""
    correction, name, predicted, confidence = row
    return CorrectionOut(
        seq=correction.seq,
        name=name,
        label=correction.label,
        note=correction.note,
        corrected_by=correction.corrected_by,
        corrected_at=correction.corrected_at,
        predicted=predicted,
        confidence=None if confidence is None else round(confidence, DIGITS),
        links=CorrectionLinks(file=f"{job_path(job_id)}/images/{correction.seq}/file"),
    )


def correction_page(job_id: uuid.UUID, rows: Sequence[CorrectionRow], *, after: int, has_more: bool) -> CorrectionPage:
    """Make a page; an empty one returns the caller's own cursor."""
    corrections = [correction_out(job_id, row) for row in rows]
    return CorrectionPage(
        corrections=corrections, after=str(corrections[-1].seq if corrections else after), has_more=has_more
    )
