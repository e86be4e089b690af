"""The row of an export, as long as a chunk stands for it: queued again, ended, and exports that lost their chunk.

Whoever changes both rows locks the one of the chunk first. ``shared.exports`` reads and makes exports.
"""

import uuid
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.exports import ExportContent, ExportErrorCode, ExportFormat
from shared.contracts.states import ChunkKind
from shared.db.models import Job
from shared.errors import Conflict, NotFound
from shared.jobs import lifecycle
from shared.jobs.chunks import EXPORT_POOLS, add_chunk

# The version before claims rows of `exports` under leases of their own. Ours have none: their chunk has it.
OF_CHUNKS = "(state = 'queued' OR (state = 'running' AND (lease_until IS NULL OR lease_until < now())))"
QUEUE_AGAIN = text(
    "UPDATE exports SET state = 'queued', attempt = :attempt, lease_token = NULL, lease_until = NULL, "
    "not_before = now() + :pause WHERE id = :id AND state = 'running' AND lease_until IS NULL"
)
END_AS_FAILED = text(
    "UPDATE exports SET state = 'failed', error = :error, error_code = :code, finished_at = now(), "  # noqa: S608  # a constant
    f"expires_at = now() + :keep WHERE id = :id AND {OF_CHUNKS} RETURNING format"
)
START_OVER = text(
    """
    UPDATE exports SET state = 'queued', attempt = 0, error = NULL, error_code = NULL, finished_at = NULL,
        expires_at = NULL, not_before = now(), lease_token = NULL, lease_until = NULL
    WHERE id = :id AND state = 'failed' RETURNING 1
    """
)
JOB_OF = text(
    """
    SELECT e.job_id, e.parameters ->> 'content' AS content FROM exports e JOIN jobs j ON j.id = e.job_id
    WHERE e.id = :id AND j.deleted_at IS NULL
    """
)
# Walks the partial index of exports that are not made yet; each is looked up by the index of `chunks.export_id`.
WITHOUT_CHUNK = text(
    """
    SELECT e.id, e.job_id, e.attempt, e.parameters ->> 'content' AS content
    FROM exports e JOIN jobs j ON j.id = e.job_id AND j.deleted_at IS NULL
    WHERE e.state IN ('queued', 'running') AND (CAST(:id AS uuid) IS NULL OR e.id = :id)
      AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.export_id = e.id AND c.state <> 'done')
    ORDER BY e.id LIMIT :limit
    """
)


def add_export_chunk(
    session: Session, job: Job, export_id: uuid.UUID, content: ExportContent, *, attempt: int = 0
) -> None:
    """Add the chunk of an export to a job whose row the caller has locked."""
    add_chunk(session, job, ChunkKind.EXPORT, pool=EXPORT_POOLS[content], export_id=export_id, attempt=attempt)


def queue_again(session: Session, export_id: uuid.UUID, *, attempt: int, pause_seconds: float = 0.0) -> None:
    """Show as queued what a worker handed back or lost. The caller has locked its chunk, which is ready again."""
    pause = timedelta(seconds=pause_seconds)
    session.execute(QUEUE_AGAIN, {"id": export_id, "attempt": attempt, "pause": pause})


def end_as_failed(
    session: Session, export_id: uuid.UUID, code: ExportErrorCode, error: str, *, keep_hours: float
) -> ExportFormat | None:
    """End an export that will have no file; ``error`` is for the client. The caller has locked its chunk.

    Returns:
        Its format; ``None``: it is over already.
    """
    values = {"id": export_id, "code": code, "error": stored.words(error), "keep": timedelta(hours=keep_hours)}
    name = session.execute(END_AS_FAILED, values).scalar_one_or_none()
    return None if name is None else ExportFormat(name)


def start_over(session: Session, export_id: uuid.UUID) -> None:
    """Queue an export that failed, with all its attempts.

    Raises:
        NotFound: there is no such export, it has expired, or its job was deleted.
        Conflict: it did not fail.
    """
    found = session.execute(JOB_OF, {"id": export_id}).one_or_none()
    if found is None:
        raise NotFound(f"there is no export {export_id}; it may have expired")
    job = lifecycle.lock_job(session, found.job_id)
    if session.execute(START_OVER, {"id": export_id}).one_or_none() is None:
        raise Conflict(f"export {export_id} did not fail; only one that failed is made again", code="export-state")
    add_export_chunk(session, job, export_id, _content(found.content))


def without_chunk(session: Session, *, limit: int) -> list[uuid.UUID]:
    """Find exports that are not made yet and have no chunk: a program of the version before added them."""
    return [row.id for row in session.execute(WITHOUT_CHUNK, {"id": None, "limit": limit})]


def adopt(session: Session, export_id: uuid.UUID) -> bool:
    """Give an export its chunk; ``False``: it has one, or needs none any more."""
    found = session.execute(WITHOUT_CHUNK, {"id": export_id, "limit": 1}).one_or_none()
    if found is None:
        return False
    try:
        job = lifecycle.lock_job(session, found.job_id)
    except NotFound:
        return False
    if session.execute(WITHOUT_CHUNK, {"id": export_id, "limit": 1}).one_or_none() is None:
        return False
    add_export_chunk(session, job, export_id, _content(found.content), attempt=found.attempt)
    return True


def _content(stored: str | None) -> ExportContent:
    return ExportContent(stored or ExportContent.RESULTS)
