"""Removal of exports that have expired. Harmless to run twice, and from several processes at the same time."""

from sqlalchemy import text

from shared.db.session import Database
from shared.storage.keys import export_prefix
from shared.storage.store import ObjectStore

BATCH = 50
EXPIRED = text("SELECT id, job_id FROM exports WHERE expires_at < now() ORDER BY expires_at LIMIT :limit")


def remove_expired(database: Database, store: ObjectStore) -> int:
    """Remove exports that have expired, the file before the row.

    Returns:
        How many.

    Raises:
        DatabaseUnavailable: Postgres is away.
        StoreUnavailable: the object store is away.
    """
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
