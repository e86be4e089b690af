"""Which worker makes which export: leases and fencing tokens, by the rules of ``shared.jobs.claims``.

A claim counts the attempt before a byte is read; whoever writes names its token; all times are the database's.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.exports import ExportFormat
from shared.errors import LeaseLost
from shared.jobs import pauses

# The tenant with the fewest exports under way first, then the oldest export.
CLAIM = text(
    f"""
    UPDATE exports AS e
    SET state = 'running', attempt = attempt + 1, lease_token = nextval('lease_tokens'), lease_until = now() + :lease
    WHERE e.id = (
        SELECT q.id FROM exports q JOIN jobs j ON j.id = q.job_id
        WHERE q.state = 'queued' AND q.not_before <= now() AND j.deleted_at IS NULL
          AND NOT ({pauses.EVERYTHING} OR {pauses.IS_DRAINED} OR q.tenant_id IN ({pauses.TENANTS}))
        ORDER BY (SELECT count(*) FROM exports r WHERE r.state = 'running' AND r.tenant_id = q.tenant_id), q.id
        LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
    RETURNING e.id, e.job_id, e.tenant_id, e.format, e.parameters, e.attempt, e.lease_token
    """  # noqa: S608  # constants
)
HELD = "id = :id AND lease_token = :token AND state = 'running' RETURNING 1"
RENEW = text(f"UPDATE exports SET lease_until = now() + :lease WHERE {HELD}")  # noqa: S608  # a constant
FINISH = text(
    "UPDATE exports SET state = 'completed', object_key = :key, bytes = :bytes, rows = :rows, error = NULL, "  # noqa: S608  # as above
    f"finished_at = now(), expires_at = now() + :keep, lease_until = NULL WHERE {HELD}"
)
FAIL = text(
    "UPDATE exports SET state = 'failed', error = :error, finished_at = now(), expires_at = now() + :keep, "  # noqa: S608  # as above
    f"lease_until = NULL WHERE {HELD}"
)
RELEASE = text(
    "UPDATE exports SET state = 'queued', attempt = attempt - 1, lease_token = NULL, lease_until = NULL, "  # noqa: S608  # as above
    f"not_before = now() + :pause WHERE {HELD}"
)
ABANDON = text(f"UPDATE exports SET lease_until = now() WHERE {HELD}")  # noqa: S608  # a constant
DONE = text("SELECT 1 FROM exports WHERE id = :id AND lease_token = :token AND state = :state")


@dataclass(frozen=True, slots=True)
class ExportClaim:
    """An export that belongs to this worker until its lease runs out."""

    id: uuid.UUID
    job_id: uuid.UUID
    tenant_id: uuid.UUID
    format: ExportFormat
    parameters: dict[str, Any]
    attempt: int
    token: int

    @property
    def key(self) -> dict[str, object]:
        """What every guarded statement names."""
        return {"id": self.id, "token": self.token}


def claim(session: Session, *, worker: str, lease_seconds: float) -> ExportClaim | None:
    """Take the next export; the caller commits before it does any work. ``None``: there is none, or it is paused."""
    row = session.execute(CLAIM, {"worker": worker, "lease": timedelta(seconds=lease_seconds)}).one_or_none()
    if row is None:
        return None
    return ExportClaim(
        id=row.id,
        job_id=row.job_id,
        tenant_id=row.tenant_id,
        format=ExportFormat(row.format),
        parameters=row.parameters,
        attempt=row.attempt,
        token=row.lease_token,
    )


def renew(session: Session, held: ExportClaim, *, lease_seconds: float) -> None:
    """Hold the export for another lease.

    Raises:
        LeaseLost: it belongs to somebody else, or was deleted.
    """
    if session.execute(RENEW, {**held.key, "lease": timedelta(seconds=lease_seconds)}).one_or_none() is None:
        raise _lost(held)


def finish(session: Session, held: ExportClaim, *, object_key: str, size: int, rows: int, keep_hours: float) -> None:
    """The file is there. Harmless to repeat.

    Raises:
        LeaseLost: the export belongs to somebody else, or was deleted.
    """
    values = {"key": object_key, "bytes": size, "rows": rows, "keep": timedelta(hours=keep_hours)}
    _end(session, held, session.execute(FINISH, {**held.key, **values}).one_or_none() is not None, "completed")


def fail(session: Session, held: ExportClaim, error: str, *, keep_hours: float) -> None:
    """There will never be a file; ``error`` says why. Harmless to repeat.

    Raises:
        LeaseLost: the export belongs to somebody else, or was deleted.
    """
    values = {"error": stored.words(error), "keep": timedelta(hours=keep_hours)}
    _end(session, held, session.execute(FAIL, {**held.key, **values}).one_or_none() is not None, "failed")


def release(session: Session, held: ExportClaim, *, pause_seconds: float = 0.0) -> None:
    """Hand it back: the attempt does not count.

    Raises:
        LeaseLost: the export belongs to somebody else, or was deleted.
    """
    if session.execute(RELEASE, {**held.key, "pause": timedelta(seconds=pause_seconds)}).one_or_none() is None:
        raise _lost(held)


def abandon(session: Session, held: ExportClaim) -> None:
    """End the lease at once after a fault of our own: the attempt counts, and the next sweep decides what follows."""
    session.execute(ABANDON, held.key)


def _end(session: Session, held: ExportClaim, ended: bool, state: str) -> None:  # noqa: FBT001  # the row's answer
    """A repeated commit finds the export ended under its own token."""
    if not ended and session.execute(DONE, {**held.key, "state": state}).one_or_none() is None:
        raise _lost(held)


def _lost(held: ExportClaim) -> LeaseLost:
    return LeaseLost(f"export {held.id} is no longer leased under token {held.token}")
