"""The end of an inspection: the work of a job is known, checked against the quota, and cut into chunks.

Inspection is knowledge, not a gate: what could not be inspected is one tile until whoever decodes it knows better.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import ChunkKind, JobState
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Chunk, Job
from shared.db.plans import IMAGES_WITH_RESULT
from shared.errors import QuotaExceeded
from shared.jobs import lifecycle
from shared.jobs.cut import ChunkSizes
from shared.jobs.warnings import warn
from shared.jobs.work import count_work
from shared.limits.quotas import TenantLock

OPEN = text("SELECT EXISTS (SELECT 1 FROM chunks WHERE job_id = :job AND kind = :kind AND state <> 'done')")
# A head without a size, as of a file that cannot be read.
LOSE = text(
    f"""
    INSERT INTO image_heads (job_id, seq)
    SELECT i.job_id, i.seq FROM {IMAGES_WITH_RESULT}
    WHERE i.job_id = :job AND i.seq BETWEEN :first AND :last AND r.seq IS NULL
    ON CONFLICT (job_id, seq) DO NOTHING RETURNING 1
    """  # noqa: S608  # a text of shared.db.plans
)
UNKNOWN = text("SELECT count(*) FROM image_heads WHERE job_id = :job AND width IS NULL")


def count(session: Session, job: Job, images: int) -> None:
    """Count images whose heads were read, or could not be. The caller holds the lock of the job's row."""
    job.inspected = min(job.total, job.inspected + images)
    job.revision += 1  # Whoever watches sees how far it is.
    session.flush()


def give_up(session: Session, job: Job, chunk: Chunk) -> None:
    """Store that the heads of a chunk are unknown, after its last attempt. The caller closes it, and holds the lock."""
    lost = session.execute(LOSE, {"job": job.id, "first": chunk.first_seq, "last": chunk.last_seq}).all()
    count(session, job, len(lost))
    unknown = session.execute(UNKNOWN, {"job": job.id}).scalar_one()
    warn(
        session,
        job,
        WarningCode.INSPECTION_INCOMPLETE,
        f"the heads of {unknown} of {job.total} photographs could not be read before the work began: each counts as "
        "one tile, and nobody knows whether it is too coarse; they are classified all the same",
    )


def conclude(session: Session, job: Job, *, sizes: ChunkSizes, quota: TenantLock | None) -> None:
    """Cut a validated job by its work, if no inspecting chunk is open any more; end one that is canceled.

    The caller holds the lock of the job's row, and before it that of its tenant if ``quota`` is one.
    """
    if job.state == JobState.VALIDATING:
        if session.execute(OPEN, {"job": job.id, "kind": ChunkKind.INSPECT}).scalar_one():
            return
        count_work(session, job)
        refusal = _refusal(job, quota)
        if refusal is not None:
            lifecycle.fail(session, job, code="quota_exceeded", detail=f"{refusal}; then retry the job")
            return
        lifecycle.enqueue(session, job, sizes=sizes)
    lifecycle.finish_if_done(session, job)


def _refusal(job: Job, quota: TenantLock | None) -> QuotaExceeded | None:
    if quota is None or job.work_total is None:
        return None
    try:
        quota.check(tiles=job.work_total - job.work_done)
    except QuotaExceeded as error:
        return error
    return None
