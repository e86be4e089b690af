"""The end of an inspection: the work of a job is known, checked against the quota, and cut into chunks."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import ChunkKind, JobState
from shared.db.models import Job
from shared.errors import QuotaExceeded
from shared.jobs import lifecycle
from shared.jobs.cut import ChunkSizes
from shared.jobs.work import count_work
from shared.limits.quotas import TenantLock

OPEN = text("SELECT EXISTS (SELECT 1 FROM chunks WHERE job_id = :job AND kind = :kind AND state <> 'done')")


def count(session: Session, job: Job, images: int) -> None:
    """Count images whose heads were read, or could not be. The caller holds the lock of the job's row."""
    job.inspected = min(job.total, job.inspected + images)
    session.flush()


def conclude(session: Session, job: Job, *, sizes: ChunkSizes, quota: TenantLock | None) -> None:
    """Cut a validating job by its work, if no inspecting chunk is open any more; end one that is canceled.

    The caller holds the lock of the job's row, and before it that of its tenant if ``quota`` is one.
    """
    if job.state == JobState.VALIDATING:
        if session.execute(OPEN, {"job": job.id, "kind": ChunkKind.INSPECT}).scalar_one():
            return
        count_work(session, job)
        try:
            if quota is not None:
                quota.check(tiles=(job.work_total or 0) - job.work_done)
        except QuotaExceeded as error:
            lifecycle.fail(session, job, code="quota_exceeded", detail=f"{error}; then retry the job")
            return
        lifecycle.enqueue(session, job, sizes=sizes)
    lifecycle.finish_if_done(session, job)
