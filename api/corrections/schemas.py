"""Corrections on the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.fields import RequestBody
from api.wire.jobs import job_path
from shared.contracts import stored
from shared.corrections.reading import Cursor, ReadCorrection
from shared.corrections.store import BY_LENGTH, LABEL_PATTERN, NOTE_LENGTH
from shared.tiles.grid import Box

DIGITS = 6

EXAMPLE: dict[str, Any] = {
    "seq": 7,
    "name": "DJI_0007.JPG",
    "tile": None,
    "label": "powdery_mildew",
    "note": "white coating, not rust",
    "corrected_by": "Ana",
    "corrected_at": "2026-06-02T09:12:00Z",
    "predicted": "rust",
    "confidence": 0.61,
    "box": None,
    "ground_resolution_mm": None,
    "valid": True,
    "links": {"file": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/images/7/file"},
}
TABLE_EXAMPLE = "name,label,note\r\nDJI_0007.JPG,powdery_mildew,white coating\r\nDJI_0009.JPG,healthy,\r\n"

CorrectionLabel = Annotated[
    str, Field(pattern=LABEL_PATTERN, description="Written as class ids are; it need not be a class of the classifier.")
]
Note = Annotated[str, Field(min_length=1, max_length=NOTE_LENGTH), AfterValidator(stored.text)]
Person = Annotated[str, Field(min_length=1, max_length=BY_LENGTH), AfterValidator(stored.text)]
By = Annotated[Person, Field(description="Name of the person; the name of the API key if left out.")]


class PutCorrection(RequestBody):
    """The label that a person gives to an image or a tile."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"label": "healthy"}, {"label": "powdery_mildew", "note": "white coating"}]}
    )

    label: CorrectionLabel
    note: Note | None = None
    corrected_by: By | None = None


class CorrectionLinks(BaseModel):
    """Paths on this server."""

    file: str


class BoxOut(BaseModel):
    """A part of a picture, in pixels of the upright original; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, box: Box) -> "BoxOut":
        """Name the sides."""
        left, top, right, bottom = box
        return cls(left=left, top=top, right=right, bottom=bottom)


class CorrectionOut(BaseModel):
    """A correction beside the prediction. ``predicted`` is ``null`` when there is no result (yet)."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    seq: int
    name: str
    tile: int | None = Field(description="The tile, counted from 0, rows first; `null`: the image as a whole.")
    label: str | None = Field(description="`null`, in a history alone: the person took the correction back.")
    note: str | None
    corrected_by: str | None
    corrected_at: datetime
    predicted: str | None = Field(description="Of the tile, where it is one.")
    confidence: float | None
    box: BoxOut | None = Field(description="Of the tile.")
    ground_resolution_mm: float | None = Field(
        description="Millimetres of plant or ground in a pixel of the tile; `null` if nobody says it."
    )
    valid: bool = Field(description="True for the one that counts for this image or tile.")
    links: CorrectionLinks


class CorrectionPage(BaseModel):
    """The corrections of a job, in the order of its images, and of the tiles of each."""

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


def correction_out(job_id: uuid.UUID, row: ReadCorrection) -> CorrectionOut:
    """Make one."""
    return CorrectionOut(
        seq=row.seq,
        name=row.name,
        tile=row.tile,
        label=row.label,
        note=row.note,
        corrected_by=row.corrected_by,
        corrected_at=row.corrected_at,
        predicted=row.predicted,
        confidence=None if row.confidence is None else round(row.confidence, DIGITS),
        box=None if row.box is None else BoxOut.of(row.box),
        ground_resolution_mm=None if row.ground_resolution_mm is None else round(row.ground_resolution_mm, DIGITS),
        valid=row.is_valid,
        links=CorrectionLinks(file=f"{job_path(job_id)}/images/{row.seq}/file"),
    )


def correction_page(
    job_id: uuid.UUID, rows: Sequence[ReadCorrection], *, after: Cursor, history: bool, has_more: bool
) -> CorrectionPage:
    """Make a page; an empty one returns the caller's own cursor."""
    end = rows[-1].cursor(history=history) if rows else after
    return CorrectionPage(corrections=[correction_out(job_id, row) for row in rows], after=str(end), has_more=has_more)
