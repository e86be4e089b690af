"""Queries of jobs. Each names the tenant; another tenant's job does not exist."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Row,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased, load_only

from shared.contracts.states import EventType, JobState, Priority
from shared.db.models import Classifier, Job, Result, WebhookEndpoint
from shared.db.models.job import ACTIVE
from shared.db.pages import ANY_SIZE, WEIGHT, bytes_of, cut, within
from shared.errors import NotFound
from shared.jobs.pauses import HELD_JOB
from shared.tiles.stored import StoredMap, find_map

# Waiting for the first chunk to be claimed.
WAITING_STATES = (JobState.VALIDATING, JobState.QUEUED)

EVENTS = text(
    """
    SELECT e.job_id, e.revision, e.type, e.data, e.created_at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:after AS bigint[]), CAST(:upto AS bigint[])) AS wanted(id, after, upto)
    JOIN events e ON e.job_id = wanted.id AND e.revision > wanted.after AND e.revision <= wanted.upto
    WHERE e.type <> :progress
    ORDER BY e.job_id, e.revision
    """
)


# Of a job as JSON, without its texts.
JOB_BYTES = 1500
# Parameters of the statements below.
IDS = "ids"
TENANT = "tenant"


def _among(job: type[Job]) -> ColumnElement[bool]:
    """Compare with one array: a parameter for each of a thousand ids is slow to write and to read."""
    return job.id == func.any(bindparam(IDS, type_=ARRAY(Uuid)))


def _places() -> Subquery:
    """Select (id, place) in the queues of these jobs. Each queue is walked once, however many of its jobs are wanted.

    Interactive jobs come before all bulk jobs; among equals the oldest is first.
    """
    chosen = aliased(Job)
    tenants = select(chosen.tenant_id).where(_among(chosen), chosen.state.in_(WAITING_STATES))
    place = func.row_number().over(partition_by=Job.tenant_id, order_by=(Job.priority != Priority.INTERACTIVE, Job.id))
    return select(Job.id, place.label("place")).where(ACTIVE, Job.tenant_id.in_(tenants)).subquery("places")


def _speed() -> ColumnElement[float | None]:
    """Select the tiles per second of the last finished tiled job of the same classifier, for one that is not over.

    A single photograph says how long one waits, and not what the workers can do. It is one row of an index, and no
    other job reads it.
    """
    last = aliased(Job)
    seconds = func.extract("epoch", last.finished_at - last.started_at)
    found = (
        select(cast(last.work_done - last.work_before, Double) / seconds)
        .where(
            last.classifier_id == Job.classifier_id,
            last.work_total.is_not(None),
            last.state.in_([JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS]),
            last.total > literal_column("1"),  # as the index has it
            # A photograph that is skipped is one tile and costs next to nothing: a job of such says nothing.
            last.work_done - last.work_before > last.total,
            last.finished_at > last.started_at,
        )
        .order_by(last.finished_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case((and_(Job.tiling.is_not(None), ACTIVE), found)).label("speed")


# Built once: to build one of them takes SQLAlchemy as long as to run it, and every poll of a client runs it.
_PLACES = _places()
_SPEED = _speed()
_PAUSED = and_(ACTIVE, literal_column(HELD_JOB, Boolean())).label("paused")
DETAILS = (
    select(Job, Classifier, WebhookEndpoint.url, func.now(), _PLACES.c.place, _PAUSED, _SPEED)
    .outerjoin(Classifier, Classifier.id == Job.classifier_id)
    .outerjoin(WebhookEndpoint, WebhookEndpoint.id == Job.webhook_endpoint_id)
    .outerjoin(_PLACES, and_(_PLACES.c.id == Job.id, Job.state.in_(WAITING_STATES)))
    .options(load_only(Classifier.name, Classifier.version))
    .where(_among(Job), Job.deleted_at.is_(None))
)
DETAILS_OF_TENANT = DETAILS.where(Job.tenant_id == bindparam(TENANT))
STANDINGS = (
    select(Job.id, Job.revision, _PLACES.c.place, _PAUSED)
    .outerjoin(_PLACES, and_(_PLACES.c.id == Job.id, Job.state.in_(WAITING_STATES)))
    .where(_among(Job), Job.deleted_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job and the classifier that it is pinned to or asks for, if any; of it only name and version are loaded."""

    job: Job
    classifier: Classifier | None
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail(JobRow):
    """A job that is read for itself.

    ``read_at`` is the time by the clock of the database. ``queue_position`` counts from 1 and is there while the job
    waits for its first chunk to be claimed: the tenant's own jobs that come before it, and itself. Other tenants do
    not count, because slots are shared out fairly between tenants before jobs. ``paused``: the operator holds it back.
    ``tiles_per_second``: of the last finished job with tiles of the same classifier, for one that is not over.
    """

    read_at: datetime
    queue_position: int | None
    paused: bool = False
    tiles_per_second: float | None = None


def _rows(tenant_id: uuid.UUID) -> Select[Job, Classifier, str | None]:
    return (
        select(Job, Classifier, WebhookEndpoint.url)
        .outerjoin(Classifier, Classifier.id == Job.classifier_id)
        .outerjoin(WebhookEndpoint, WebhookEndpoint.id == Job.webhook_endpoint_id)
        .options(load_only(Classifier.name, Classifier.version))
        .where(Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
    )


def get_job(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> JobDetail:
    """Read one job: one row by its key, however many images it has.

    Raises:
        NotFound: this tenant has no such job.
    """
    found = read_jobs(session, [job_id], tenant_id=tenant_id)
    if not found:
        raise NotFound(f"there is no job {job_id}")
    return found[0]


def read_jobs(
    session: Session, job_ids: Collection[uuid.UUID], *, tenant_id: uuid.UUID | None = None
) -> Sequence[JobDetail]:
    """Read several jobs as they stand now, in one statement. Those that are gone, or another tenant's, are left out."""
    wanted = DETAILS if tenant_id is None else DETAILS_OF_TENANT
    return [
        JobDetail(
            job,
            classifier,
            webhook_url,
            read_at=read_at,
            queue_position=place,
            paused=paused,
            tiles_per_second=speed,
        )
        for job, classifier, webhook_url, read_at, place, paused, speed in session.execute(
            wanted, {IDS: list(job_ids), TENANT: tenant_id}
        )
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """The least of a job that shows a change."""

    job_id: uuid.UUID
    revision: int
    # These change without the revision: when a job before this one is over, and when an operator says so.
    queue_position: int | None
    paused: bool


def standings(session: Session, job_ids: Collection[uuid.UUID]) -> Sequence[Standing]:
    """Read the standings of jobs, in one statement that costs little per job; those that are gone are left out."""
    return [Standing(*row) for row in session.execute(STANDINGS, {IDS: list(job_ids)})]


def events_between(
    session: Session, wanted: Mapping[uuid.UUID, tuple[int, int]]
) -> Sequence[Row[uuid.UUID, int, str, dict[str, Any], datetime]]:
    """Read events of jobs, oldest first, but for ``job.progress``: (job id, revision, type, data, when).

    Args:
        session: a transaction.
        wanted: of each job the revision after which events are wanted, and the last one that is.
    """
    return session.execute(
        EVENTS,
        {
            "ids": list(wanted),
            "after": [after for after, _ in wanted.values()],
            "upto": [upto for _, upto in wanted.values()],
            "progress": EventType.JOB_PROGRESS,
        },
    ).all()


def lock_own_job(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> Job:
    """Lock a job of this tenant until the end of the transaction, and read it as it stands now.

    Raises:
        NotFound: this tenant has no such job.
    """
    job = session.scalars(
        select(Job)
        .where(Job.id == job_id, Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    return job


def list_jobs(
    session: Session,
    tenant_id: uuid.UUID,
    *,
    state: JobState | None,
    after: uuid.UUID | None,
    limit: int,
    max_bytes: int = ANY_SIZE,
) -> tuple[Sequence[JobRow], bool]:
    """Read a page of a tenant's jobs, newest first, and whether there are more.

    Args:
        session: a transaction.
        tenant_id: whose jobs.
        state: only those in this state.
        after: last id of the page before.
        limit: rows of the page.
        max_bytes: what the page may weigh; it has one job at least.
    """
    weight = literal(JOB_BYTES) + bytes_of(
        cast(Job.metadata_, Text),
        cast(Job.warnings, Text),
        Job.name,
        Job.external_id,
        Job.error_detail,
        WebhookEndpoint.url,
    )
    wanted = select(Job.id, weight.label(WEIGHT)).outerjoin(
        WebhookEndpoint, WebhookEndpoint.id == Job.webhook_endpoint_id
    )
    wanted = wanted.where(Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
    if state is not None:
        wanted = wanted.where(Job.state == state)
    if after is not None:
        wanted = wanted.where(Job.id < after)
    page = wanted.order_by(Job.id.desc()).limit(limit + 1).subquery("page")
    found = within(page, page.c.id.desc(), literal(max_bytes, BigInteger)).subquery("found")
    rows = session.execute(
        _rows(tenant_id).add_columns(found.c.offered).join(found, found.c.id == Job.id).order_by(Job.id.desc())
    ).all()
    kept, has_more = cut(rows, limit)
    return [JobRow(*row) for row in kept], has_more


@dataclass(frozen=True, slots=True)
class Answer:
    """A job with a single image; ``result`` is ``None`` while that is pending, ``map`` if it has no tiles."""

    job: Job
    classifier: Classifier | None
    result: Result | None
    map: StoredMap | None = None


def read_answer(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> Answer:
    """Read a job with its first result, for a client that waits for it: in one statement, or two if it has tiles.

    Raises:
        NotFound: this tenant has no such job.
    """
    found = session.execute(
        select(Job, Classifier, Result)
        .outerjoin(Classifier, Classifier.id == Job.classifier_id)
        .outerjoin(Result, Result.job_id == Job.id)
        .where(Job.id == job_id, Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
        .order_by(Result.position)
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    job, classifier, result = found
    has_tiles = result is not None and result.tile_sums is not None
    return Answer(job, classifier, result, find_map(session, tenant_id, job_id, result.seq) if has_tiles else None)
