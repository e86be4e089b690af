"""Background exports on the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.exports.names import export_name
from api.fields import RequestBody
from api.links import link
from api.results.routes import FinalStatus
from api.wire.jobs import job_path
from shared.contracts.exports import ExportContent, ExportFormat, ExportState
from shared.contracts.geography import PlaceFilter
from shared.contracts.schemas import without_default
from shared.contracts.states import ImageStatus
from shared.db.models import Export
from shared.exports.contents import suffix_of
from shared.exports.queries import content_of, filter_of
from shared.jobs.results import ResultFilter
from shared.storage.store import PresignedGet

EXAMPLE: dict[str, Any] = {
    "id": "01934f70-1b2c-7d3e-9f00-5d1c6a2b9e10",
    "job_id": "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
    "format": "geojson",
    "content": "results",
    "filters": {"status": None, "label": "rust", "place": None},
    "state": "completed",
    "rows": 41230,
    "bytes": 29814021,
    "error": None,
    "created_at": "2026-06-01T08:20:00Z",
    "finished_at": "2026-06-01T08:20:09Z",
    "expires_at": "2026-06-04T08:20:09Z",
    "download": {
        "url": "https://objects.example.org/phytobatch/exports/0193…?X-Amz-Signature=…",
        "expires_at": "2026-06-01T08:36:00Z",
        "file_name": "North field 6a2b9e10.geojson",
    },
    "links": {
        "self": "/v1/exports/01934f70-1b2c-7d3e-9f00-5d1c6a2b9e10",
        "job": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
    },
}

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Class id.")]


class ExportFilters(RequestBody):
    """A filter of images; without fields, all of them."""

    status: FinalStatus | None = None
    label: Label | None = None
    place: PlaceFilter | None = Field(default=None, description="Only images with a position, or without one.")

    def only(self) -> ResultFilter:
        """Return the same as a filter."""
        status = None if self.status is None else ImageStatus(self.status)
        return ResultFilter(status=status, label=self.label, place=self.place)


class CreateExport(RequestBody):
    """A request for a background export."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"format": "geojson"},
                {"format": "csv", "filters": {"label": "rust"}},
                {"format": "parquet", "content": "tiles"},
            ]
        }
    )

    format: ExportFormat
    # Left out where it is the default, so that a repeated request has the content that it had before there was this.
    content: ExportContent = Field(
        default=ExportContent.RESULTS,
        exclude_if=lambda content: content is ExportContent.RESULTS,
        description="What a row is: an image with its answer, or a tile of a job with tiles (`ndjson` and `parquet`); "
        "`results` if left out.",
        json_schema_extra=without_default,
    )
    filters: ExportFilters = Field(
        default_factory=ExportFilters, description="Which images; of an export of tiles, whose tiles."
    )


class Download(BaseModel):
    """The link to the file. A GET of ``url`` needs no key; it takes ``Range``."""

    url: str
    expires_at: datetime
    file_name: str


class ExportLinks(BaseModel):
    """Paths on this server."""

    self: str
    job: str


class ExportOut(BaseModel):
    """A background export."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: uuid.UUID
    job_id: uuid.UUID
    format: ExportFormat
    content: ExportContent
    filters: ExportFilters
    state: ExportState
    rows: int | None
    bytes: int | None
    error: str | None = Field(description="The reason why there is no file.")
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="Moment of its removal.")
    download: Download | None = Field(
        description="Set once it is completed, with a fresh link in each answer; `null` in lists."
    )
    links: ExportLinks


class ExportPage(BaseModel):
    """The exports of a job, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"exports": [{**EXAMPLE, "download": None}], "after": EXAMPLE["id"], "has_more": False}]
        }
    )

    exports: list[ExportOut]
    after: str | None = Field(description="Cursor for the next page; `null` when there is nothing.")
    has_more: bool


def export_path(export_id: uuid.UUID) -> str:
    """Return the path of an export on this server."""
    return link(f"/v1/exports/{export_id}")


def file_name(export: Export, job_name: str | None) -> str:
    """Return the name under which the file is saved."""
    suffix = suffix_of(content_of(export.parameters), ExportFormat(export.format))
    return export_name(job_name, export.job_id, suffix)


def export_out(export: Export, job_name: str | None = None, signed: PresignedGet | None = None) -> ExportOut:
    """Return an export as clients see it, with its link if one was signed."""
    only = filter_of(export.parameters)
    return ExportOut(
        id=export.id,
        job_id=export.job_id,
        format=ExportFormat(export.format),
        content=content_of(export.parameters),
        filters=ExportFilters(
            status=None if only.status is None else FinalStatus(only.status), label=only.label, place=only.place
        ),
        state=ExportState(export.state),
        rows=export.rows,
        bytes=export.bytes,
        error=export.error,
        created_at=export.created_at,
        finished_at=export.finished_at,
        expires_at=export.expires_at,
        download=None
        if signed is None
        else Download(url=signed.url, expires_at=signed.expires_at, file_name=file_name(export, job_name)),
        links=ExportLinks(self=export_path(export.id), job=job_path(export.job_id)),
    )


def export_page(exports: Sequence[Export], *, after: uuid.UUID | None, has_more: bool) -> ExportPage:
    """Make a page; an empty one returns the caller's own cursor."""
    last = exports[-1].id if exports else after
    return ExportPage(
        exports=[export_out(one) for one in exports], after=None if last is None else str(last), has_more=has_more
    )
