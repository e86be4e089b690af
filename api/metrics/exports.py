"""Metrics of exports that are not made yet, as Postgres knows them by their partial index."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.metrics.reading import TERMS, Reading
from shared.contracts.exports import ExportState
from shared.jobs import pauses
from shared.metrics import definitions as metrics

OPEN = (ExportState.QUEUED, ExportState.RUNNING)
# Of a deleted job nobody waits for one: its rows go with the job, which may take as long as the object store is away.
EXPORTS = text(
    f"""
    SELECT state, count(*) AS exports, extract(epoch FROM now() - min(created_at) FILTER (
               WHERE NOT ({pauses.EVERYTHING} OR tenant_id IN ({pauses.TENANTS})))) AS oldest
    FROM exports WHERE state IN ('queued', 'running')
      AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = exports.job_id AND jobs.deleted_at IS NOT NULL)
    GROUP BY state
    """  # noqa: S608  # constants
)


def read_exports(session: Session) -> Reading:
    """Count those in each state, and say how long the oldest has waited; in a transaction of its own."""
    for term in TERMS:
        session.execute(term)
    rows = {row.state: row for row in session.execute(EXPORTS)}
    return {
        metrics.EXPORTS: [((state,), float(rows[state].exports if state in rows else 0)) for state in OPEN],
        metrics.OLDEST_EXPORT_WAITING: [((), max((float(row.oldest or 0) for row in rows.values()), default=0.0))],
    }
