"""What is read of jobs. Every query names the tenant; another tenant's job does not exist."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, load_only

from shared.contracts.states import JobState
from shared.db.models import Classifier, Job, Result
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job and the classifier that it is pinned to or asks for, if any; of it only name and version are loaded."""

    job: Job
    classifier: Classifier | None


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
    found = session.execute(_rows(tenant_id).where(Job.id == job_id)).one_or_none()
    if found is None:
        raise NotFound(f"there is no job {job_id}")
    return JobRow(found[0], found[1])


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
