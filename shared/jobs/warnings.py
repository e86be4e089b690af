"""The warnings of a job. Each code stands once, with the newest sentence."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Job

# A label ends the search; in a job without any, each row is read once.
IS_DECIDED = text("SELECT EXISTS (SELECT 1 FROM results WHERE job_id = :job AND label IS NOT NULL)")
UNDECIDED = text(
    "SELECT review_reason, count(*) AS images FROM results WHERE job_id = :job AND status = 'succeeded' "
    "GROUP BY review_reason ORDER BY count(*) DESC, review_reason"
)


def warn(session: Session, job: Job, code: WarningCode, detail: str) -> None:
    """Put a warning on a job, in the place of an older one of its code. The caller holds the lock of the job's row."""
    drop(session, job, code)
    job.warnings = [*job.warnings, {"code": code.value, "detail": stored.words(detail)}]
    session.flush()


def drop(session: Session, job: Job, *codes: WarningCode) -> None:
    """Take warnings of these codes off a job, before it runs again."""
    job.warnings = [one for one in job.warnings if one["code"] not in codes]
    session.flush()


def warn_if_nothing_is_decided(session: Session, job: Job) -> None:
    """Say in words if no photograph of a tiled job that ends has a label: undecided is not healthy."""
    if job.tiling is None or job.succeeded == 0 or session.execute(IS_DECIDED, {"job": job.id}).scalar_one():
        return
    reasons = ", ".join(f"{row.images} {row.review_reason}" for row in session.execute(UNDECIDED, {"job": job.id}))
    warn(
        session,
        job,
        WarningCode.NOTHING_DECIDED,
        f"none of {job.succeeded} photographs could be decided ({reasons}): this is not a healthy crop, it is no "
        "answer; the reasons say what to do better",
    )
