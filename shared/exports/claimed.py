"""Writes of the worker that holds the chunk of an export: it begins, the file is there, or there will be none.

The lease is that of the chunk, and so is the token that every statement names (``shared.jobs.claims``).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.exports import ExportErrorCode, ExportFormat
from shared.errors import LeaseLost
from shared.jobs import claims, exports
from shared.jobs.claims import Claim

HOLD = text(
    "SELECT 1 FROM chunks WHERE job_id = :job AND no = :no AND lease_token = :token AND state = 'running' "
    "FOR NO KEY UPDATE"
)
# The version before claims the row itself: by its state, which is taken from it here, or under a lease that holds.
BEGIN = text(
    f"""
    UPDATE exports SET state = 'running', attempt = :attempt, lease_token = :token, lease_until = NULL
    WHERE id = :id AND {exports.OF_CHUNKS} RETURNING format, parameters
    """  # noqa: S608  # a constant
)
IS_OPEN = text("SELECT state IN ('queued', 'running') FROM exports WHERE id = :id")
IS_DELETED = text("SELECT deleted_at IS NOT NULL FROM jobs WHERE id = :job")
FINISH = text(
    "UPDATE exports SET state = 'completed', object_key = :key, bytes = :bytes, rows = :rows, error = NULL, "
    "error_code = NULL, finished_at = now(), expires_at = now() + :keep WHERE id = :id AND lease_token = :token"
)


class MadeElsewhere(Exception):
    """A worker of the version before makes this export, under a lease that holds."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An export that is to be made: its format and its filter."""

    format: ExportFormat
    parameters: dict[str, Any]


def begin(session: Session, claim: Claim) -> Begun | None:
    """Show the export as running and say what is to be made; ``None``: nothing is, and the chunk is closed.

    Raises:
        LeaseLost: the chunk belongs to somebody else.
        MadeElsewhere: a worker of the version before has it.
    """
    if session.execute(HOLD, claim.key).one_or_none() is None:
        raise _lost(claim)
    if session.execute(IS_DELETED, {"job": claim.job_id}).scalar_one():
        claims.close(session, claim)
        return None
    values = {"id": claim.export_id, "token": claim.token, "attempt": claim.attempt}
    row = session.execute(BEGIN, values).one_or_none()
    if row is not None:
        return Begun(ExportFormat(row.format), row.parameters)
    if session.execute(IS_OPEN, {"id": claim.export_id}).scalar_one():
        raise MadeElsewhere
    claims.close(session, claim)
    return None


def finish(session: Session, claim: Claim, *, object_key: str, size: int, rows: int, keep_hours: float) -> None:
    """Say that the file is there, and close the chunk. Harmless to repeat.

    Raises:
        LeaseLost: the chunk belongs to somebody else, or export or job was deleted; nothing is written.
    """
    if claims.close(session, claim):
        # The removal of the job may have listed its files before this one was there.
        if session.execute(IS_DELETED, {"job": claim.job_id}).scalar_one():
            raise _lost(claim)
        values = {"key": object_key, "bytes": size, "rows": rows, "keep": timedelta(hours=keep_hours)}
        session.execute(FINISH, {"id": claim.export_id, "token": claim.token, **values})


def fail(session: Session, claim: Claim, error: str, *, keep_hours: float) -> None:
    """Say that its format cannot hold this, with the sentence for the client, and close the chunk. Harmless to repeat.

    Raises:
        LeaseLost: the chunk belongs to somebody else, or the export was deleted; nothing is written.
    """
    if claims.close(session, claim) and claim.export_id is not None:
        code = ExportErrorCode.NOT_REPRESENTABLE
        exports.end_as_failed(session, claim.export_id, code, error, keep_hours=keep_hours)


def _lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"export {claim.export_id} is no longer leased under token {claim.token}")
