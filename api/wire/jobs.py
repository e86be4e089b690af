"""A job as clients see it, alone and in pages."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.links import link
from shared.contracts.states import TERMINAL_STATES, JobState, Priority
from shared.contracts.tiling import OnCoarse, Tiling
from shared.db.models import Classifier, Job
from shared.jobs.progress import WorkProgress, counts, progress_of
from shared.jobs.queries import JobDetail, JobRow

TILING: TypeAdapter[Tiling | None] = TypeAdapter(Tiling | None)

JOB_EXAMPLE: dict[str, Any] = {
    "id": "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
    "state": "running",
    "name": "North field, row 3",
    "external_id": None,
    "priority": "bulk",
    "metadata": {},
    "classifier": {"name": "leaf", "version": "1"},
    "counts": {"total": 60, "pending": 12, "succeeded": 46, "failed": 1, "rejected": 1, "canceled": 0},
    "progress": {
        "percent": 80.0,
        "images_per_second": 12.4,
        "estimated_end": "2026-06-01T08:01:07Z",
        "queue_position": None,
        "paused": False,
        "work": None,
    },
    "error": None,
    "retries": 0,
    "webhook_url": None,
    "keep_days": None,
    "keep_originals_days": 90,
    "tiling": None,
    "on_coarse": "skip",
    "ground_resolution_mm": None,
    "explain": False,
    "warnings": [],
    "originals_removed_at": None,
    "created_at": "2026-06-01T08:00:00Z",
    "committed_at": "2026-06-01T08:01:00Z",
    "started_at": "2026-06-01T08:01:02Z",
    "finished_at": None,
    "expires_at": None,
    "links": {
        "self": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
        "images": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/images",
        "commit": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/commit",
        "cancel": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/cancel",
        "retry": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/retry",
        "events": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/events",
        "results": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/results",
    },
}


class PinnedClassifier(BaseModel):
    """The classifier that a job is pinned to, or asks for."""

    name: str
    version: str


class Counts(BaseModel):
    """``total`` is the sum of the other five, always."""

    total: int
    pending: int
    succeeded: int
    failed: int
    rejected: int
    canceled: int


class WorkOut(BaseModel):
    """The work of a job with tiles. A photograph that is answered as a whole, or skipped, is one tile."""

    unit: Literal["tiles"]
    inspected: int = Field(
        description="Photographs whose head was read, or could not be; a single one is not inspected."
    )
    total: int | None = Field(description="`null` until the photographs are inspected: nobody knows their size before.")
    done: int
    per_second: float | None = Field(
        description="Over the last half to full minute; over the whole run once the job is over."
    )
    estimated_seconds: float | None = Field(
        description="For the rest of the work, without the time that the job waits for others: at its own speed, "
        "or, as long as it has none, at that of the last finished job of several photographs with tiles of this "
        "classifier. `null` where neither or no `total` is known, and once the job is over."
    )


class ProgressOut(BaseModel):
    """The progress of the job, by its own speed."""

    percent: float = Field(
        description="Share of the images that have their final answer, 0 to 100; of the tiles, as soon as their number "
        "is known."
    )
    images_per_second: float | None = Field(
        description="Over the last half to full minute; over the whole run once the job is over."
    )
    estimated_end: datetime | None
    queue_position: int | None = Field(description="While the job waits for its first worker; 1 is next.")
    paused: bool = Field(
        description="The operator holds back the tenant, the classifier or all work; nothing is lost, and the "
        "job goes on by itself afterwards."
    )
    work: WorkOut | None = Field(description="Of a job with `tiling`; `null` for one of whole photographs.")


class JobError(BaseModel):
    """The reason why a job could never run."""

    code: str
    detail: str | None


class JobWarning(BaseModel):
    """A sentence that a client should read before the answers."""

    code: str
    detail: str


class Links(BaseModel):
    """Paths on this server."""

    self: str
    images: str
    commit: str
    cancel: str
    retry: str
    events: str
    results: str


class JobOut(BaseModel):
    """A job."""

    model_config = ConfigDict(json_schema_extra={"examples": [JOB_EXAMPLE]})

    id: uuid.UUID
    state: JobState
    name: str | None
    external_id: str | None
    priority: Priority
    metadata: dict[str, Any]
    classifier: PinnedClassifier | None
    counts: Counts
    progress: ProgressOut | None = Field(
        description="In the answer for a single job, and in that of the commit of one with `tiling`; `null` in lists "
        "and other answers of POST."
    )
    error: JobError | None
    retries: int = Field(description="Number of times that failed images were run again.")
    webhook_url: str | None
    keep_days: int | None
    keep_originals_days: int | None
    tiling: Tiling | None
    on_coarse: OnCoarse
    ground_resolution_mm: float | None
    explain: bool = Field(description="Its results carry explanations.")
    warnings: list[JobWarning] = Field(
        description="`too_coarse`, `ground_resolution_unknown`, `inspection_incomplete`, `nothing_decided`, "
        "`no_explanation`; new codes may be added. Each has a sentence for a person."
    )
    originals_removed_at: datetime | None = Field(
        description="Moment when retention removed its uploads: it cannot be retried any more."
    )
    created_at: datetime
    committed_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    links: Links


class JobPage(BaseModel):
    """A page of jobs, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"jobs": [JOB_EXAMPLE], "after": JOB_EXAMPLE["id"], "has_more": True}]}
    )

    jobs: list[JobOut]
    after: str | None = Field(description="Cursor for the next page; `null` when there is nothing.")
    has_more: bool


def job_path(job_id: uuid.UUID) -> str:
    """Return the path of a job on this server."""
    return link(f"/v1/jobs/{job_id}")


def progress_out(row: JobDetail, now: datetime) -> ProgressOut:
    """Return the progress of a job at ``now``, a time of the database."""
    seen = progress_of(row.job, now)
    return ProgressOut(
        percent=seen.percent,
        images_per_second=seen.images_per_second,
        estimated_end=None if row.paused else seen.estimated_end,
        queue_position=row.queue_position,
        paused=row.paused,
        work=None if seen.work is None else _work_out(seen.work, row),
    )


def _work_out(work: WorkProgress, row: JobDetail) -> WorkOut:
    speed = work.per_second or row.tiles_per_second
    seconds = None
    if work.total is not None and speed and not row.paused and row.job.state not in TERMINAL_STATES:
        seconds = round((work.total - work.done) / speed, 1)
    return WorkOut(
        unit="tiles",
        inspected=work.inspected,
        total=work.total,
        done=work.done,
        per_second=work.per_second,
        estimated_seconds=seconds,
    )


def job_out(
    job: Job, classifier: Classifier | None, webhook_url: str | None, *, progress: ProgressOut | None = None
) -> JobOut:
    """Return a job as clients see it."""
    path = job_path(job.id)
    return JobOut(
        id=job.id,
        state=JobState(job.state),
        name=job.name,
        external_id=job.external_id,
        priority=Priority(job.priority),
        metadata=job.metadata_,
        classifier=None if classifier is None else PinnedClassifier(name=classifier.name, version=classifier.version),
        counts=Counts(**counts(job)),
        progress=progress,
        error=None if job.error_code is None else JobError(code=job.error_code, detail=job.error_detail),
        retries=job.retries,
        webhook_url=webhook_url,
        keep_days=job.keep_days,
        keep_originals_days=job.keep_originals_days,
        tiling=TILING.validate_python(job.tiling),
        on_coarse=OnCoarse(job.on_coarse or OnCoarse.SKIP),
        ground_resolution_mm=job.ground_resolution_mm,
        explain=job.explain,
        warnings=[JobWarning(**one) for one in job.warnings],
        originals_removed_at=job.originals_removed_at,
        created_at=job.created_at,
        committed_at=job.committed_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        links=Links(
            self=path,
            images=f"{path}/images",
            commit=f"{path}/commit",
            cancel=f"{path}/cancel",
            retry=f"{path}/retry",
            events=f"{path}/events",
            results=f"{path}/results",
        ),
    )


def job_seen(row: JobDetail, now: datetime) -> JobOut:
    """Return a single job, with its progress at ``now``, a time of the database."""
    return job_out(row.job, row.classifier, row.webhook_url, progress=progress_out(row, now))


def job_page(rows: Sequence[JobRow], *, after: uuid.UUID | None, has_more: bool) -> JobPage:
    """Make a page; an empty one returns the caller's own cursor."""
    last = rows[-1].job.id if rows else after
    return JobPage(
        jobs=[job_out(row.job, row.classifier, row.webhook_url) for row in rows],
        after=None if last is None else str(last),
        has_more=has_more,
    )
