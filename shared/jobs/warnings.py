"""The warnings of a job. Each code stands once, with the newest sentence."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.classifiers.registry import has_map
from shared.contracts import stored
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Classifier, Job

# The classifier says nothing of cells, or the tiles are explained one by one.
WITHOUT_MAP = (
    "{name} {version} gives no map of what speaks for its labels: the answers are as they would be without `explain`, "
    "and have no explanation"
)
OF_TILES = (
    "the answer of a photograph in tiles has no explanation of its own; ask for that of one tile, at "
    "/v1/jobs/ID/images/SEQ/tiles/TILE/explanation"
)

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


def warn_if_not_explained(session: Session, job: Job) -> None:
    """Say in words if a job that asks for explanations, and whose classifier is pinned, will have none."""
    classifier = session.get(Classifier, job.classifier_id) if job.explain and job.classifier_id else None
    if classifier is None:
        return
    if not has_map(classifier):
        words = WITHOUT_MAP.format(name=classifier.name, version=classifier.version)
        warn(session, job, WarningCode.NO_EXPLANATION, words)
    elif job.tiling is not None:
        warn(session, job, WarningCode.NO_EXPLANATION, OF_TILES)


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
