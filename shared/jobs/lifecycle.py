"""The only writer of ``jobs.state``.

Every change names the states that it may come from; a change that finds another state does nothing and says so.
Every function runs in the caller's transaction and takes the lock of the job's row first, before any lock on its
chunks, so that two of them never wait for each other.
"""

import uuid
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.job_request import JobRequest
from shared.contracts.receipts import RemovalReason, Removed
from shared.contracts.states import TERMINAL_EVENT, ChunkKind, ChunkState, EventType, ImageStatus, JobState
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Event, Job
from shared.db.plans import IMAGES_WITH_RESULT
from shared.db.session import changed
from shared.errors import Conflict, NotFound
from shared.jobs import progress, warnings
from shared.jobs.chunks import (
    add_chunk,
    classifying_pool_of,
    cut_chunks,
    cut_inspections,
    drop_ready_exports,
    validating_pool_of,
)
from shared.jobs.cut import SINGLE, ChunkSizes
from shared.jobs.work import WORK_DONE, WORKED, count_work
from shared.receipts import writing as receipts
from shared.tracing import current_origin
from shared.webhooks import outbox

# From which states a job may reach each state.
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.VALIDATING: frozenset({JobState.DRAFT, JobState.FAILED}),
    JobState.QUEUED: frozenset({JobState.VALIDATING, JobState.COMPLETED_WITH_ERRORS, JobState.FAILED}),
    JobState.RUNNING: frozenset({JobState.QUEUED}),
    JobState.CANCELING: frozenset({JobState.VALIDATING, JobState.QUEUED, JobState.RUNNING}),
    JobState.COMPLETED: frozenset({JobState.VALIDATING, JobState.QUEUED, JobState.RUNNING}),
    JobState.COMPLETED_WITH_ERRORS: frozenset({JobState.VALIDATING, JobState.QUEUED, JobState.RUNNING}),
    JobState.FAILED: frozenset({JobState.VALIDATING, JobState.QUEUED, JobState.RUNNING}),
    JobState.CANCELED: frozenset({JobState.DRAFT, JobState.CANCELING}),
    JobState.EXPIRED: frozenset({JobState.DRAFT}),
}

# Which moment a state leaves behind on the job.
STAMPS = {JobState.VALIDATING: "committed_at", JobState.QUEUED: "queued_at", JobState.RUNNING: "started_at"}

PROGRESS_PAUSE = timedelta(seconds=10)


def create_draft(
    session: Session,
    tenant_id: uuid.UUID,
    request: JobRequest,
    *,
    draft_hours: int,
    classifier_id: uuid.UUID | None = None,
    webhook_endpoint_id: uuid.UUID | None = None,
) -> Job:
    """Create a job in ``draft``, in the trace of this request. It expires when nobody commits it in time."""
    origin = current_origin()
    columns = request.columns()
    job = Job(
        tenant_id=tenant_id,
        state=JobState.DRAFT,
        metadata_=columns.pop("metadata"),  # SQLAlchemy keeps the name for itself.
        classifier_id=classifier_id,
        webhook_endpoint_id=webhook_endpoint_id,
        request_id=origin.request_id,
        traceparent=origin.traceparent,
        **columns,
    )
    session.add(job)
    session.flush()
    session.execute(
        text("UPDATE jobs SET expires_at = now() + :hours WHERE id = :id"),
        {"hours": timedelta(hours=draft_hours), "id": job.id},
    )
    session.refresh(job)
    return job


def lock_job(session: Session, job_id: uuid.UUID) -> Job:
    """Lock a job until the end of the transaction, and read it as it stands now.

    Raises:
        NotFound: there is no such job.
    """
    job = session.get(Job, job_id, with_for_update={"key_share": True}, populate_existing=True)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    return job


def _move(session: Session, job: Job, to: JobState) -> None:
    """Write the state, its moment and a new revision. The caller holds the lock."""
    if JobState(job.state) not in TRANSITIONS[to]:
        raise Conflict(f"a job that is {job.state} cannot become {to}", code="job-state")
    stamp = STAMPS.get(to, "finished_at" if to in TERMINAL_EVENT else None)
    moment = f", {stamp} = coalesce({stamp}, now())" if stamp else ""
    session.execute(
        text(f"UPDATE jobs SET state = :to, revision = revision + 1{moment} WHERE id = :id"),  # noqa: S608  # from a table
        {"to": to, "id": job.id},
    )
    session.refresh(job)
    changed(session, job.id)


def record(session: Session, job: Job, event: EventType) -> None:
    """Insert an event of this job into the caller's transaction, and a delivery to everyone who asked for it."""
    subscribers = outbox.subscribers_of(session, job.tenant_id, event, job_endpoint_id=job.webhook_endpoint_id)
    _insert_event(session, job, event, subscribers)


def _insert_event(session: Session, job: Job, event: EventType, subscribers: list[uuid.UUID]) -> None:
    row = Event(
        tenant_id=job.tenant_id, job_id=job.id, revision=job.revision, type=event, data=progress.event_data(job)
    )
    session.add(row)
    session.flush()
    outbox.add_deliveries(session, row, subscribers)


def record_progress(session: Session, job: Job) -> None:
    """Insert ``job.progress`` for its subscribers, every ten seconds at most. The caller holds the lock."""
    if job.state != JobState.RUNNING or not _progress_is_due(job):
        return
    due = session.execute(
        text(
            "UPDATE jobs SET progress_event_at = now() WHERE id = :id "
            "AND coalesce(progress_event_at, started_at) < now() - :pause RETURNING 1"
        ),
        {"id": job.id, "pause": PROGRESS_PAUSE},
    ).one_or_none()
    if due is None:
        return
    subscribers = outbox.subscribers_of(
        session, job.tenant_id, EventType.JOB_PROGRESS, job_endpoint_id=job.webhook_endpoint_id
    )
    if subscribers:
        _insert_event(session, job, EventType.JOB_PROGRESS, subscribers)


def _progress_is_due(job: Job) -> bool:
    """Decide by the moment of the last results, which mostly is this transaction's: it costs no query."""
    last = job.progress_event_at or job.started_at
    return job.last_result_at is None or last is None or job.last_result_at - last > PROGRESS_PAUSE


def commit(session: Session, job_id: uuid.UUID, classifier_id: uuid.UUID) -> Job:
    """Move a job from ``draft`` to ``validating``, with the chunk that validates. Harmless to repeat.

    Raises:
        Conflict: the draft has no images, or it expired or was canceled before.
    """
    job = lock_job(session, job_id)
    if _leave_draft(session, job, classifier_id):
        add_chunk(session, job, ChunkKind.VALIDATE, pool=validating_pool_of(job))
        _move(session, job, JobState.VALIDATING)
    return job


def commit_arrived(session: Session, job_id: uuid.UUID, classifier_id: uuid.UUID, *, sizes: ChunkSizes) -> Job:
    """Move a job from ``draft`` to ``queued`` at once, for a caller that stored and checked every object itself.

    A tiled job of several photographs is inspected first. One photograph is one chunk, whatever its head says, and
    whoever decodes it knows the rest: nobody who waits for an answer waits for an inspection.

    Raises:
        Conflict: the draft has no images, or it expired or was canceled before.
    """
    job = lock_job(session, job_id)
    if _leave_draft(session, job, classifier_id):
        _move(session, job, JobState.VALIDATING)
        if job.tiling is None or job.total == 1:
            count_work(session, job)
            enqueue(session, job, sizes=sizes)
        else:
            inspect(session, job, sizes=sizes)
    return job


def _leave_draft(session: Session, job: Job, classifier_id: uuid.UUID) -> bool:
    """Pin the classifier of a draft that may be committed; ``False`` when it was committed before."""
    if job.state in {JobState.EXPIRED, JobState.CANCELED} and job.committed_at is None:
        raise Conflict(f"this job is {job.state}; create a new one", code="job-not-draft")
    if job.state != JobState.DRAFT:
        return False
    if job.total == 0 and job.source is None:
        raise Conflict("this draft has no images; add some before the commit", code="job-empty")
    job.classifier_id = job.classifier_id or classifier_id
    job.expires_at = None
    _set_going(job)
    session.flush()
    warnings.warn_if_not_explained(session, job)
    return True


def _set_going(job: Job) -> None:
    """Note this request, for the logs of the work; the trace stays that of the job's beginning."""
    job.request_id = current_origin().request_id or job.request_id


def inspect(session: Session, job: Job, *, sizes: ChunkSizes) -> None:
    """Cut a validating job into inspecting chunks, of images whose heads are not read. The caller holds the lock."""
    if job.state == JobState.VALIDATING:
        cut_inspections(session, job, sizes=sizes)


def enqueue(session: Session, job: Job, *, sizes: ChunkSizes) -> None:
    """Queue a validating job, with chunks of all images without a result. The caller holds the lock."""
    if job.state != JobState.VALIDATING:
        return
    cut_chunks(session, job, pool=classifying_pool_of(job), sizes=sizes)
    _move(session, job, JobState.QUEUED)
    record(session, job, EventType.JOB_VALIDATED)


def start(session: Session, job_id: uuid.UUID) -> None:
    """Move a job from ``queued`` to ``running`` at the first claim; do nothing when it runs already.

    The state is read before the lock is taken. A claim that came too late for another chunk of the job keeps that row
    locked, and whoever finishes that chunk holds the lock of the job: each would wait for the other. But then the job
    runs already.
    """
    if session.scalar(select(Job.state).where(Job.id == job_id)) != JobState.QUEUED:
        return
    job = lock_job(session, job_id)
    if job.state == JobState.QUEUED:
        progress.begin_run(session, job)
        _move(session, job, JobState.RUNNING)
        record(session, job, EventType.JOB_STARTED)


def finish_if_done(session: Session, job: Job) -> bool:
    """End a job that has no open chunk, with its one terminal event. The caller holds the lock.

    Returns:
        Whether the job ended here.
    """
    if job.open_chunks > 0 or job.state not in {JobState.QUEUED, JobState.RUNNING, JobState.CANCELING}:
        return False
    if job.state == JobState.CANCELING:
        _cancel_pending_images(session, job)
    elif progress.counts(job)["pending"] > 0:
        # Cannot be, as far as we know. If it is, the images matter more than the reason: cut them again.
        if job.classifier_id is not None:
            cut_chunks(session, job, pool=classifying_pool_of(job), sizes=SINGLE)
            session.refresh(job)
        return False
    warnings.warn_if_nothing_is_decided(session, job)
    to = _outcome(job)
    _move(session, job, to)
    record(session, job, TERMINAL_EVENT[to])
    return True


def _outcome(job: Job) -> JobState:
    if job.state == JobState.CANCELING:
        return JobState.CANCELED
    if job.succeeded == 0:
        return JobState.FAILED
    return JobState.COMPLETED_WITH_ERRORS if job.failed + job.rejected else JobState.COMPLETED


def _cancel_pending_images(session: Session, job: Job) -> None:
    """Give every image without an answer the final status ``canceled``, so that the counts add up."""
    session.execute(
        text(
            f"""
            WITH ended AS (
                INSERT INTO results (job_id, seq, position, status)
                SELECT i.job_id, i.seq, :position + row_number() OVER (ORDER BY i.seq), :status
                FROM {IMAGES_WITH_RESULT}
                WHERE i.job_id = :job AND r.seq IS NULL
                RETURNING job_id, seq, status),
            {WORKED.format("ended")}
            UPDATE jobs SET canceled = canceled + (SELECT count(*) FROM ended),
                            last_position = last_position + (SELECT count(*) FROM ended),
                            work_done = {WORK_DONE}
            WHERE id = :job
            """  # noqa: S608  # texts of shared.db.plans and shared.jobs.work
        ),
        {"job": job.id, "position": job.last_position, "status": ImageStatus.CANCELED},
    )
    session.refresh(job)


def cancel(session: Session, job_id: uuid.UUID) -> Job:
    """Cancel a job. Chunks that nobody works on are closed at once; a running one is closed by its worker.

    Returns:
        The job: ``canceling`` while a worker still works on it, terminal otherwise.
    """
    job = lock_job(session, job_id)
    if job.state == JobState.DRAFT:
        _cancel_pending_images(session, job)
        _move(session, job, JobState.CANCELED)
        record(session, job, EventType.JOB_CANCELED)
        return job
    if job.state not in TRANSITIONS[JobState.CANCELING]:
        return job
    _move(session, job, JobState.CANCELING)
    close_ready_chunks(session, job)
    finish_if_done(session, job)
    return job


def close_ready_chunks(session: Session, job: Job) -> None:
    """Close what nobody works on; exports stay.

    Rows that a claim holds right now are skipped: their worker will see the state.
    """
    session.execute(
        text(
            """
            WITH closed AS (
                UPDATE chunks SET state = :done, done_at = now()
                WHERE (job_id, no) IN (SELECT job_id, no FROM chunks
                                       WHERE job_id = :job AND state = :ready AND kind <> :export
                                       FOR UPDATE SKIP LOCKED)
                RETURNING 1)
            UPDATE jobs SET open_chunks = open_chunks - (SELECT count(*) FROM closed) WHERE id = :job
            """
        ),
        {"job": job.id, "done": ChunkState.DONE, "ready": ChunkState.READY, "export": ChunkKind.EXPORT},
    )
    session.refresh(job)


def retry(session: Session, job_id: uuid.UUID, *, sizes: ChunkSizes) -> Job:
    """Run the failed images of a job that is over again, in the same job. Other answers are kept.

    A job that failed as a whole (its source could not be read, its validation was lost) is validated again. The run
    ends with a terminal event of its own.

    Raises:
        Conflict: the job is not over, nothing of it failed, or its photographs are gone.
    """
    job = lock_job(session, job_id)
    if JobState(job.state) not in TERMINAL_EVENT:
        raise Conflict(f"this job is {job.state}; only a job that is over can be retried", code="job-active")
    if JobState(job.state) not in TRANSITIONS[JobState.QUEUED] or not (job.failed or job.error_code):
        raise Conflict(_nothing_failed(job), code="nothing-to-retry")
    if job.originals_removed_at is not None:
        raise Conflict(
            f"the photographs of this job were removed at {job.originals_removed_at:%Y-%m-%d %H:%M} UTC, as its "
            "retention says; create a new job of those that you still want",
            code="originals-removed",
        )
    never_ran = job.error_code is not None
    session.execute(
        text(
            "UPDATE jobs SET retries = retries + 1, queued_at = NULL, started_at = NULL, finished_at = NULL, "
            "error_code = NULL, error_detail = NULL WHERE id = :id"
        ),
        {"id": job.id},
    )
    session.refresh(job)
    _set_going(job)
    # The classifier stays, and what it cannot say.
    gone = set(WarningCode) - {WarningCode.NO_EXPLANATION} if never_ran else {WarningCode.NOTHING_DECIDED}
    warnings.drop(session, job, *gone)
    if never_ran:
        add_chunk(session, job, ChunkKind.VALIDATE, pool=validating_pool_of(job))
        _move(session, job, JobState.VALIDATING)
    else:
        _forget_failures(session, job)
        cut_chunks(session, job, pool=classifying_pool_of(job), sizes=sizes)
        _move(session, job, JobState.QUEUED)
    record(session, job, EventType.JOB_RETRIED)
    return job


def _nothing_failed(job: Job) -> str:
    if job.state in {JobState.CANCELED, JobState.EXPIRED}:
        return f"this job is {job.state}; create a new job of the images that you still want"
    if job.rejected:
        return (
            f"no image of this job failed; {job.rejected} were rejected for what they are, and would be again: "
            "mend those files and create a new job of them"
        )
    return f"this job is {job.state} and no image of it failed; there is nothing to run again"


def _forget_failures(session: Session, job: Job) -> None:
    """Make failed images pending again. Their numbers are not given twice, so a reader's cursor stays good."""
    session.execute(
        text(
            """
            WITH forgotten AS (DELETE FROM results WHERE job_id = :job AND status = 'failed' RETURNING 1)
            UPDATE jobs SET failed = failed - (SELECT count(*) FROM forgotten) WHERE id = :job
            """
        ),
        {"job": job.id},
    )
    session.refresh(job)
    count_work(session, job)


def fail(session: Session, job: Job, *, code: str, detail: str) -> None:
    """End a job that can never run, for a reason of its own. The caller holds the lock."""
    job.error_code, job.error_detail = code, stored.words(detail)
    session.flush()
    _move(session, job, JobState.FAILED)
    record(session, job, EventType.JOB_FAILED)


def expire_drafts(session: Session, *, limit: int = 100) -> int:
    """Expire drafts that nobody committed in time; return how many."""
    ids = session.scalars(
        text(
            "SELECT id FROM jobs WHERE state = :draft AND expires_at < now() "
            "ORDER BY expires_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED"
        ),
        {"draft": JobState.DRAFT, "limit": limit},
    ).all()
    for job_id in ids:
        job = lock_job(session, job_id)
        _cancel_pending_images(session, job)
        _move(session, job, JobState.EXPIRED)
        record(session, job, EventType.JOB_EXPIRED)
    return len(ids)


def delete(
    session: Session, job_id: uuid.UUID, *, reason: RemovalReason = RemovalReason.REQUESTED, by: str | None = None
) -> uuid.UUID:
    """Make a job that is over, or a draft, invisible, and leave its removal to a worker.

    Args:
        session: a transaction.
        job_id: the job.
        reason: why, for the receipt.
        by: who asked for it: the name of an API key, or a program; ``None``: the service itself.

    Returns:
        The id of the receipt.

    Raises:
        Conflict: the job is still active.
    """
    job = lock_job(session, job_id)
    if job.state == JobState.DRAFT:
        cancel(session, job_id)
    elif JobState(job.state) not in TERMINAL_EVENT:
        raise Conflict(f"this job is {job.state}; cancel it before you delete it", code="job-active")
    drop_ready_exports(session, job_id)
    add_chunk(session, job, ChunkKind.PURGE, pool=ChunkKind.PURGE)
    session.execute(text("UPDATE jobs SET deleted_at = now(), revision = revision + 1 WHERE id = :id"), {"id": job_id})
    changed(session, job_id)
    return receipts.begin(session, job, Removed.JOB, reason, by)
