"""What mends exports: leases that ran out, and files that have expired. Harmless to run twice, and side by side."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from shared.db.session import Database
from shared.storage.keys import export_prefix
from shared.storage.store import ObjectStore

BATCH = 50
LOST_TOO_OFTEN = (
    "the worker that made it was lost every time; ask for it again, and tell the operator if it is lost again"
)

TAKE_BACK = text(
    """
    UPDATE exports SET
        state = CASE WHEN attempt >= :most THEN 'failed' ELSE 'queued' END,
        error = CASE WHEN attempt >= :most THEN :error END,
        finished_at = CASE WHEN attempt >= :most THEN now() END,
        expires_at = CASE WHEN attempt >= :most THEN now() + :keep END,
        lease_token = NULL, lease_until = NULL, not_before = now()
    WHERE id IN (SELECT id FROM exports WHERE state = 'running' AND lease_until < now() LIMIT :limit
                 FOR UPDATE SKIP LOCKED)
    RETURNING 1
    """
)
EXPIRED = text("SELECT id, job_id FROM exports WHERE expires_at < now() ORDER BY expires_at LIMIT :limit")


@dataclass(frozen=True, slots=True)
class ExportPolicy:
    """After how many attempts an export fails, and how long what became of it is kept."""

    most_attempts: int
    keep_hours: float


def sweep_exports(database: Database, store: ObjectStore, policy: ExportPolicy) -> tuple[int, int]:
    """Queue again, or fail, what lost its worker; remove what has expired, the file before the row.

    Returns:
        How many were taken back, and how many removed.

    Raises:
        DatabaseUnavailable: Postgres is away.
        StoreUnavailable: the object store is away.
    """
    with database.begin() as session:
        taken = session.execute(
            TAKE_BACK,
            {
                "most": policy.most_attempts,
                "error": LOST_TOO_OFTEN,
                "keep": timedelta(hours=policy.keep_hours),
                "limit": BATCH,
            },
        ).all()
    return len(taken), _remove_expired(database, store)


def _remove_expired(database: Database, store: ObjectStore) -> int:
    with database.begin() as session:
        expired = session.execute(EXPIRED, {"limit": BATCH}).all()
    for row in expired:
        store.discard(export_prefix(row.job_id, row.id))
    with database.begin() as session:
        session.execute(
            text("DELETE FROM exports WHERE id = ANY(:ids) AND expires_at < now()"),
            {"ids": [row.id for row in expired]},
        )
    return len(expired)
