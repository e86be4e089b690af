"""Deliveries that ended, and events that are no longer needed."""

from datetime import timedelta

from sqlalchemy import text

from shared.db.session import Database

BATCH = 1000

# Ids begin with the time of their making (UUIDv7), so the oldest rows are the first of the primary key.
BOUND = (
    "CAST(lpad(to_hex(CAST(extract(epoch FROM now() - :age) * 1000 AS bigint)), 12, '0') || repeat('0', 20) AS uuid)"
)
DELIVERIES = text(
    f"""
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE id < {BOUND} AND state <> 'pending' AND ended_at < now() - :age
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING 1
    """  # noqa: S608  # BOUND is above
)
# The events of a job stay as long as the job: a stream may begin behind any of them.
EVENTS = text(
    f"""
    DELETE FROM events WHERE id IN (
        SELECT id FROM events e WHERE (job_id IS NULL OR type = 'job.progress') AND id < {BOUND}
            AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE event_id = e.id)
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING 1
    """  # noqa: S608  # BOUND is above
)


def forget_history(database: Database, *, days: int) -> tuple[int, int]:
    """Delete a bounded number of old deliveries and events; return the number of each."""
    how = {"age": timedelta(days=days), "limit": BATCH}
    with database.begin() as session:
        deliveries = len(session.execute(DELIVERIES, how).all())
    with database.begin() as session:
        return deliveries, len(session.execute(EVENTS, how).all())
