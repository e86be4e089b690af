"""Figures of waiting work, from Postgres. Each statement walks a partial index or a small table.

The most expensive one reads every ready chunk: ``tests/benchmarks/scrape.py`` prints its cost.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.contracts.states import ChunkKind, DeliveryState, JobState, Priority
from shared.db.plans import read_by_index
from shared.jobs import pauses
from shared.metrics import definitions as metrics
from shared.metrics.definition import Sampled
from shared.metrics.readings import Sample

Reading = Mapping[Sampled, Iterable[Sample]]

LIVE = (JobState.DRAFT, JobState.VALIDATING, JobState.QUEUED, JobState.RUNNING, JobState.CANCELING)
BACKUP_WORDS = ("made", "drilled")
ENDPOINT_STATES = ("enabled", "paused", "disabled")

# A reading must not hold a scrape up, nor take the processors of the database.
TERMS = (
    text("SET LOCAL statement_timeout = '3s'"),
    text("SET LOCAL max_parallel_workers_per_gather = 0"),
)
# The states are written out, because only then do the partial indexes fit. Who retries a job begins to wait anew. What
# is paused on purpose has no age: nobody is to be called for it.
JOBS = text(
    f"""
    SELECT state, priority, count(*) AS jobs, sum(pending) AS pending,
           coalesce(sum(pending) FILTER (WHERE paused), 0) AS paused,
           extract(epoch FROM now() - min(since) FILTER (
               WHERE (pending > 0 OR state = 'validating') AND NOT paused)) AS oldest
    FROM (SELECT state, priority, total - succeeded - failed - rejected - canceled AS pending,
                 CASE WHEN retries = 0 THEN committed_at ELSE queued_at END AS since, {pauses.HELD_JOB} AS paused
          FROM jobs WHERE state IN ('validating', 'queued', 'running', 'canceling')) AS active
    GROUP BY state, priority
    """  # noqa: S608  # constants
)
DRAFTS = text("SELECT count(*) FROM jobs WHERE state = 'draft' AND deleted_at IS NULL")
READY = text(
    f"""
    SELECT kind, count(*) FILTER (WHERE not_before <= now()) AS ready,
           count(*) FILTER (WHERE not_before > now()) AS delayed, extract(epoch FROM now() - min(not_before) FILTER (
               WHERE NOT {pauses.EVERYTHING} AND pool NOT IN ({pauses.POOLS})
                 AND (kind = 'purge' OR tenant_id NOT IN ({pauses.TENANTS})))) AS oldest
    FROM chunks WHERE state = 'ready' GROUP BY kind
    """  # noqa: S608  # constants
)
RUNNING = text(
    """
    SELECT kind, count(*) AS running, count(*) FILTER (WHERE lease_until < now()) AS expired
    FROM chunks WHERE state = 'running' GROUP BY kind
    """
)
PENDING_DELIVERIES = text("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'")
# An endpoint whose breaker was open is late from its end on, not from when the deliveries were due.
LATEST_DELIVERY = text(
    """
    SELECT extract(epoch FROM max(now() - greatest(due.at, e.open_until)))
    FROM webhook_endpoints e CROSS JOIN LATERAL (
        SELECT next_attempt_at AS at FROM webhook_deliveries d
        WHERE d.endpoint_id = e.id AND d.state = 'pending' ORDER BY next_attempt_at LIMIT 1) AS due
    WHERE e.enabled AND (e.open_until IS NULL OR e.open_until <= now()) AND due.at <= now()
    """
)
ENDPOINTS = text(
    """
    SELECT CASE WHEN NOT enabled THEN 'disabled' WHEN open_until > now() THEN 'paused' ELSE 'enabled' END AS state,
           count(*) AS endpoints
    FROM webhook_endpoints GROUP BY 1
    """
)
BACKUPS = text("SELECT what, extract(epoch FROM max(taken_at)) AS moment FROM backups GROUP BY what")
DATABASE_SIZE = text("SELECT pg_database_size(current_database())")


def read(session: Session) -> Reading:
    """Read every number that Postgres has for Prometheus, also those that are 0."""
    for term in TERMS:
        session.execute(term)
    small = {**_endpoints(session), **_size(session), **_pauses(session), **_backups(session)}
    # From here on the cost must grow with what waits and not with the history.
    read_by_index(session)
    return {**small, **_jobs(session), **_chunks(session), **_deliveries(session)}


def _jobs(session: Session) -> Reading:
    rows = session.execute(JOBS).all()
    in_state = {state: sum(row.jobs for row in rows if row.state == state) for state in LIVE}
    in_state[JobState.DRAFT] = session.execute(DRAFTS).scalar_one()
    waiting = [row for row in rows if row.state != JobState.CANCELING]
    return {
        metrics.JOBS: [((state,), float(jobs)) for state, jobs in in_state.items()],
        metrics.IMAGES_WAITING: [((), float(sum(row.pending for row in waiting)))],
        metrics.IMAGES_PAUSED: [((), float(sum(row.paused for row in waiting)))],
        metrics.OLDEST_IMAGE_WAITING: [
            ((priority,), _oldest(row.oldest for row in waiting if row.priority == priority)) for priority in Priority
        ],
    }


def _chunks(session: Session) -> Reading:
    ready = _by_kind(session.execute(READY))
    running = _by_kind(session.execute(RUNNING))

    def counts(rows: Mapping[str, Row[Any]], state: str) -> list[Sample]:
        return [((state, kind), float(getattr(rows.get(kind), state, 0))) for kind in ChunkKind]

    return {
        metrics.CHUNKS: [*counts(ready, "ready"), *counts(ready, "delayed"), *counts(running, "running")],
        metrics.OLDEST_READY_CHUNK: [
            ((kind,), _oldest([ready[kind].oldest] if kind in ready else [])) for kind in ChunkKind
        ],
        metrics.EXPIRED_LEASES: [((), float(sum(row.expired for row in running.values())))],
    }


def _endpoints(session: Session) -> Reading:
    endpoints = {row.state: row.endpoints for row in session.execute(ENDPOINTS)}
    return {
        metrics.WEBHOOK_OLDEST_DUE: [((), _oldest([session.execute(LATEST_DELIVERY).scalar_one()]))],
        metrics.WEBHOOK_ENDPOINTS: [((state,), float(endpoints.get(state, 0))) for state in ENDPOINT_STATES],
    }


def _deliveries(session: Session) -> Reading:
    pending = session.execute(PENDING_DELIVERIES).scalar_one()
    return {metrics.WEBHOOK_DELIVERIES: [((DeliveryState.PENDING,), float(pending))]}


def _pauses(session: Session) -> Reading:
    return {metrics.PAUSES: [((scope,), float(count)) for scope, count in pauses.counts(session).items()]}


def _backups(session: Session) -> Reading:
    found = {row.what: row.moment for row in session.execute(BACKUPS)}
    return {metrics.LAST_BACKUP: [((what,), float(found.get(what, 0))) for what in BACKUP_WORDS]}


def _size(session: Session) -> Reading:
    return {metrics.DATABASE_BYTES: [((), float(session.execute(DATABASE_SIZE).scalar_one()))]}


def _by_kind(rows: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    return {row.kind: row for row in rows}


def _oldest(ages: Iterable[object]) -> float:
    """Return the greatest of some ages in seconds; 0 if there are none."""
    return max((max(float(str(age)), 0.0) for age in ages if age is not None), default=0.0)
