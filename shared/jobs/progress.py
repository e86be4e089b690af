"""The progress of a job: its counts, its speed by its own measure, and its probable end; of tiled ones by work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import TERMINAL_STATES, ImageStatus, JobState
from shared.db.models import Job

# Final image statuses, which are also the names of the counts on a job.
ENDED = tuple(s.value for s in ImageStatus if s is not ImageStatus.PENDING)

UNIT = "tiles"


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
        **({} if job.tiling is None else _tiled(job)),
        "error": None if job.error_code is None else {"code": job.error_code, "detail": job.error_detail},
    }


def _tiled(job: Job) -> dict[str, Any]:
    return {"work": {"unit": UNIT, "total": job.work_total, "done": job.work_done}, "warnings": job.warnings}


def begin_run(session: Session, job: Job) -> None:
    """Start measuring the speed of a run. The caller holds the lock of the job's row."""
    session.execute(
        text(
            "UPDATE jobs SET done_before = :done, mark_done = :done, work_before = work_done, mark_work = work_done, "
            "mark_at = now(), older_mark_done = NULL, older_mark_work = NULL, older_mark_at = NULL, "
            "last_result_at = NULL, progress_event_at = NULL WHERE id = :id"
        ),
        {"done": done(job), "id": job.id},
    )


@dataclass(frozen=True, slots=True)
class WorkProgress:
    """The progress of a tiled job in tiles. ``total`` is ``None`` until its photographs are ``inspected``."""

    inspected: int
    total: int | None
    done: int
    per_second: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """``images_per_second`` over the last half to full minute, over the whole run once the job is over.

    Of a tiled job there is its ``work``, and ``percent`` and ``estimated_end`` go by it as soon as it is known.
    """

    percent: float
    images_per_second: float | None
    estimated_end: datetime | None
    work: WorkProgress | None = None


@dataclass(frozen=True, slots=True)
class _Counted:
    """One count of a job, images or work, at its moments: now, at both marks, and when the run began."""

    total: int
    now: int
    before: int
    mark: int
    older_mark: int | None


def progress_of(job: Job, now: datetime) -> Progress:
    """Compute the progress of a job at ``now``, a time of the database."""
    images = _Counted(job.total, done(job), job.done_before, job.mark_done, job.older_mark_done)
    work = _work(job)
    leading = work or images
    is_over = job.state in TERMINAL_STATES
    # Of a job that is over every image has its answer, also those that a program without tiles has ended.
    shown = images if is_over else leading
    percent = round(100 * shown.now / shown.total, 1) if shown.total else 0.0
    end = None
    if job.state == JobState.RUNNING and (rate := _recent(job, leading, now)):
        end = now + timedelta(seconds=(leading.total - leading.now) / rate)
    speed = _overall if is_over else partial(_recent, now=now)
    return Progress(percent, speed(job, images), end, _shown(job, speed(job, work) if work else None))


def _work(job: Job) -> _Counted | None:
    if job.work_total is None:
        return None
    return _Counted(job.work_total, job.work_done, job.work_before, job.mark_work, job.older_mark_work)


def _shown(job: Job, per_second: float | None) -> WorkProgress | None:
    return None if job.tiling is None else WorkProgress(job.inspected, job.work_total, job.work_done, per_second)


def _overall(job: Job, counted: _Counted) -> float | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return _rate(counted.now - counted.before, (job.finished_at - job.started_at).total_seconds())


def _recent(job: Job, counted: _Counted, now: datetime) -> float | None:
    """Compute what was done in a second since the older mark.

    Results come a chunk at a time, so the window ends with the last one; but a silence longer than the window counts:
    a job whose workers are gone must not go on promising its old speed.
    """
    since = job.older_mark_at or job.mark_at
    if since is None or job.last_result_at is None:
        return None
    before = counted.mark if counted.older_mark is None else counted.older_mark
    window = (job.last_result_at - since).total_seconds()
    silence = (now - job.last_result_at).total_seconds()
    return _rate(counted.now - before, window if silence <= window else window + silence)


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 2) if count > 0 and seconds > 0 else None
