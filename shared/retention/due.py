"""The jobs and uploads whose retention time is over."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.contracts.receipts import RemovalReason, Removed
from shared.contracts.states import TERMINAL_EVENT, JobState
from shared.contracts.stored import MAX_DAYS
from shared.db.models import Job
from shared.db.models.job import KEPT, NEVER_COMMITTED, OWN_RETENTION, WITH_ORIGINALS
from shared.db.session import Database, changed
from shared.errors import Conflict, NotFound
from shared.jobs import lifecycle
from shared.receipts import writing as receipts

BATCH = 50

# The days of the tenant (or of the setting) or those of the job: the earlier end counts. Each half reads the oldest end
# of an index of its own; 0 days are for ever. A moment outside of PostgreSQL's range would end the sweep of all.
DUE_JOBS = text(
    f"""
    (SELECT kept.id FROM tenants t CROSS JOIN LATERAL (
         SELECT id FROM jobs WHERE tenant_id = t.id AND {KEPT}
             AND finished_at < now() - make_interval(days => least(coalesce(t.keep_days_results, :days), {MAX_DAYS}))
         ORDER BY finished_at LIMIT :limit) AS kept
     WHERE coalesce(t.keep_days_results, :days) > 0 LIMIT :limit)
    UNION ALL
    (SELECT id FROM jobs WHERE {OWN_RETENTION} AND finished_at < now() - make_interval(days => keep_days)
     ORDER BY finished_at LIMIT :limit)
    """  # noqa: S608  # the conditions of the indexes
)
DUE_ORIGINALS = text(
    f"""
    (SELECT kept.id, 'retention' AS reason FROM tenants t CROSS JOIN LATERAL (
         SELECT id FROM jobs WHERE tenant_id = t.id AND {WITH_ORIGINALS}
             AND finished_at < now() - make_interval(days => least(coalesce(t.keep_days_originals, :days), {MAX_DAYS}))
         ORDER BY finished_at LIMIT :limit) AS kept
     WHERE coalesce(t.keep_days_originals, :days) > 0 LIMIT :limit)
    UNION ALL
    (SELECT id, 'retention' FROM jobs WHERE {OWN_RETENTION} AND {WITH_ORIGINALS}
         AND finished_at < now() - make_interval(days => keep_originals_days)
     ORDER BY finished_at LIMIT :limit)
    UNION ALL
    (SELECT id, 'never_committed' FROM jobs WHERE {NEVER_COMMITTED} ORDER BY finished_at LIMIT :limit)
    """  # noqa: S608  # the conditions of the indexes
)


@dataclass(frozen=True, slots=True)
class KeepDays:
    """Days of retention after the end of a job, for tenants without their own; 0: for ever."""

    results: int
    originals: int


def delete_due_jobs(database: Database, keep: KeepDays) -> int:
    """Delete the due jobs as a client would: workers remove their data. Return their number."""
    with database.begin() as session:
        ids = set(session.scalars(DUE_JOBS, {"days": keep.results, "limit": BATCH}).all())
    return sum(_delete(database, job_id) for job_id in ids)


def _delete(database: Database, job_id: uuid.UUID) -> bool:
    with database.begin() as session:
        try:
            if _over(session, job_id) is None:
                return False
            lifecycle.delete(session, job_id, reason=RemovalReason.RETENTION)
        except (NotFound, Conflict):  # It was deleted, or runs again, since we looked.
            return False
    return True


def release_due_originals(database: Database, keep: KeepDays) -> int:
    """Release the due uploads of jobs, and those of drafts that were never committed. Return the number of jobs.

    From this moment on the job cannot run again; the objects are removed afterwards (``originals``).
    """
    with database.begin() as session:
        due: Sequence[Row[Any]] = session.execute(DUE_ORIGINALS, {"days": keep.originals, "limit": BATCH}).all()
    return sum(_release(database, job_id, RemovalReason(reason)) for job_id, reason in {tuple(row) for row in due})


def _release(database: Database, job_id: uuid.UUID, reason: RemovalReason) -> bool:
    with database.begin() as session:
        try:
            job = _over(session, job_id)
        except NotFound:
            return False
        if job is None or job.originals_removed_at is not None:
            return False
        session.execute(
            text("UPDATE jobs SET originals_removed_at = now(), revision = revision + 1 WHERE id = :id"), {"id": job_id}
        )
        receipts.begin(session, job, Removed.ORIGINALS, reason, None)
        changed(session, job_id)
    return True


def _over(session: Session, job_id: uuid.UUID) -> Job | None:
    """Lock and return the job if it is over and not deleted."""
    job = lifecycle.lock_job(session, job_id)
    return job if JobState(job.state) in TERMINAL_EVENT and job.deleted_at is None else None
