"""What is read of jobs. Every query names the tenant; another tenant's job does not exist."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased, load_only

from shared.contracts.states import JobState, Priority
from shared.db.models import Classifier, Job, Result
from shared.errors import NotFound

# Waiting for the first chunk to be claimed, and not yet over (the words of the index ix_jobs_active_tenant).
WAITING_STATES = (JobState.VALIDATING, JobState.QUEUED)
ACTIVE_STATES = (JobState.VALIDATING, JobState.QUEUED, JobState.RUNNING, JobState.CANCELING)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job and the classifier that it is pinned to or asks for, if any; of it only name and version are loaded.

    ``queue_position`` counts from 1 and is there while the job waits for its first chunk to be claimed: the tenant's
    own jobs that come before it, and itself. Other tenants do not count, because slots are shared out fairly between
    tenants before jobs.
    """

    job: Job
    classifier: Classifier | None
    # When it was read, by the clock of the database.
    read_at: datetime | None = None
    queue_position: int | None = None


def _rows(tenant_id: uuid.UUID) -> Select[Job, Classifier]:
    return (
        select(Job, Classifier)
        .outerjoin(Classifier, Classifier.id == Job.classifier_id)
        .options(load_only(Classifier.name, Classifier.version))
        .where(Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
    )


def get_job(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> JobRow:
    """One job: one row by its key, however many images it has.

    Raises:
        NotFound: this tenant has no such job.
    """
    found = look_at_jobs(session, [job_id], tenant_id=tenant_id)
    if not found:
        raise NotFound(f"there is no job {job_id}")
    return found[0]


def look_at_jobs(
    session: Session, job_ids: Collection[uuid.UUID], *, tenant_id: uuid.UUID | None = None
) -> Sequence[JobRow]:
    """Several jobs as they stand now, in one statement; those that are gone, or another tenant's, are left out."""
    older = aliased(Job)
    position = (
        select(func.count() + 1)
        .where(
            older.tenant_id == Job.tenant_id,
            older.id != Job.id,
            older.state.in_(ACTIVE_STATES),
            # Interactive jobs come before all bulk jobs; among equals the oldest is first.
            or_(
                and_(older.priority == Job.priority, older.id < Job.id),
                and_(older.priority == Priority.INTERACTIVE, Job.priority == Priority.BULK),
            ),
        )
        .correlate(Job)
        .scalar_subquery()
    )
    wanted = (
        select(Job, Classifier, func.now(), case((Job.state.in_(WAITING_STATES), position)))
        .outerjoin(Classifier, Classifier.id == Job.classifier_id)
        .options(load_only(Classifier.name, Classifier.version))
        .where(Job.id.in_(job_ids), Job.deleted_at.is_(None))
    )
    if tenant_id is not None:
        wanted = wanted.where(Job.tenant_id == tenant_id)
    return [JobRow(*row) for row in session.execute(wanted)]


def lock_own_job(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> Job:
    """A job of this tenant, locked until the end of the transaction, as it stands now.

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
    session: Session, tenant_id: uuid.UUID, *, state: JobState | None, after: uuid.UUID | None, limit: int
) -> tuple[Sequence[JobRow], bool]:
    """A page of a tenant's jobs, newest first, and whether there are more. ``after``: last id of the page before."""
    wanted = _rows(tenant_id).order_by(Job.id.desc())
    if state is not None:
        wanted = wanted.where(Job.state == state)
    if after is not None:
        wanted = wanted.where(Job.id < after)
    found = [JobRow(job, classifier) for job, classifier in session.execute(wanted.limit(limit + 1))]
    return found[:limit], len(found) > limit


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a job with a single image; ``result`` is ``None`` while it is pending."""

    job: Job
    classifier: Classifier | None
    result: Result | None


def read_answer(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> Answer:
    """The job with its first result, in one statement, for the one who waits for it.

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
    return Answer(found[0], found[1], found[2])
