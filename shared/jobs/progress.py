"""The progress of a job: its counts, its speed by its own measure, and its probable end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import TERMINAL_STATES, ImageStatus, JobState
from shared.db.models import Job

# Final image statuses, which are also the names of the counts on a job.
ENDED = tuple(s.value for s in ImageStatus if s is not ImageStatus.PENDING)


def counts(job: Job) -> dict[str, int]:
    """Return the counts of a job; ``total`` is the sum of the others, always."""
    ended: dict[str, int] = {s: getattr(job, s) for s in ENDED}
    return {"total": job.total, "pending": job.total - sum(ended.values()), **ended}


def done(job: Job) -> int:
    """Count the images that have their final answer."""
    return sum(getattr(job, s) for s in ENDED)


def event_data(job: Job) -> dict[str, Any]:
    """Return the data of an event of this job: enough to act on. The rest is behind its links."""
    return {
        "job_id": str(job.id),
        "name": job.name,
        "external_id": job.external_id,
        "state": job.state,
        "revision": job.revision,
        "retries": job.retries,
        "counts": counts(job),
        "error": None if job.error_code is None else {"code": job.error_code, "detail": job.error_detail},
    }


def begin_run(session: Session, job: Job) -> None:
    """Start measuring the speed of a run. The caller holds the lock of the job's row."""
    session.execute(
        text(
            "UPDATE jobs SET done_before = :done, mark_done = :done, mark_at = now(), older_mark_done = NULL, "
            "older_mark_at = NULL, last_result_at = NULL, progress_event_at = NULL WHERE id = :id"
        ),
        {"done": done(job), "id": job.id},
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """``images_per_second`` over the last half to full minute, over the whole run once the job is over."""

    percent: float
    images_per_second: float | None
    estimated_end: datetime | None


def progress_of(job: Job, now: datetime) -> Progress:
    """Compute the progress of a job at ``now``, a time of the database."""
    ended = done(job)
    percent = round(100 * ended / job.total, 1) if job.total else 0.0
    if job.state in TERMINAL_STATES:
        return Progress(percent, _overall(job), None)
    rate = _recent(job, now)
    end = None
    if rate and job.state == JobState.RUNNING:
        end = now + timedelta(seconds=(job.total - ended) / rate)
    return Progress(percent, rate, end)


def _overall(job: Job) -> float | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return _rate(done(job) - job.done_before, (job.finished_at - job.started_at).total_seconds())


def _recent(job: Job, now: datetime) -> float | None:
    """Compute the images per second since the older mark.

    Results come a chunk at a time, so the window ends with the last one; but a silence longer than the window counts:
    a job whose workers are gone must not go on promising its old speed.
    """
    since = job.older_mark_at or job.mark_at
    if since is None or job.last_result_at is None:
        return None
    before = job.mark_done if job.older_mark_done is None else job.older_mark_done
    window = (job.last_result_at - since).total_seconds()
    silence = (now - job.last_result_at).total_seconds()
    return _rate(done(job) - before, window if silence <= window else window + silence)


def _rate(images: int, seconds: float) -> float | None:
    return round(images / seconds, 2) if images > 0 and seconds > 0 else None
