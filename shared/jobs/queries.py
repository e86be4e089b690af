"""What is read of jobs. Every query names the tenant; another tenant's job does not exist."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.contracts.states import JobState
from shared.db.models import Job
from shared.errors import NotFound


def get_job(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID) -> Job:
    """One job: one row by its key, however many images it has.

    Raises:
        NotFound: this tenant has no such job.
    """
    job = session.get(Job, job_id)
    if job is None or job.tenant_id != tenant_id or job.deleted_at is not None:
        raise NotFound(f"there is no job {job_id}")
    return job


def list_jobs(
    session: Session, tenant_id: uuid.UUID, *, state: JobState | None, after: uuid.UUID | None, limit: int
) -> tuple[Sequence[Job], bool]:
    """A page of a tenant's jobs, newest first, and whether there are more.

    ``after`` is the last id of the page before.
    """
    wanted = select(Job).where(Job.tenant_id == tenant_id, Job.deleted_at.is_(None)).order_by(Job.id.desc())
    if state is not None:
        wanted = wanted.where(Job.state == state)
    if after is not None:
        wanted = wanted.where(Job.id < after)
    found = session.scalars(wanted.limit(limit + 1)).all()
    return found[:limit], len(found) > limit
