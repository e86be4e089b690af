"""``python -m tests.benchmarks.scrape``: what a reading for Prometheus costs, with a long queue and history."""

import argparse
import time
import uuid

from alembic import command
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from api.metrics import reading
from deploy.local.servers import LocalServers
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.settings import Settings
from tests.benchmarks.figures import Figures

ROUNDS = 20
JOB_IMAGES = 20_000
CHUNK_IMAGES = 64
# One tenant; jobs of one size, of which the first ones run and the others are over.
FILL = (
    "INSERT INTO tenants (id, name) VALUES (:tenant, 'benchmark')",
    """
    INSERT INTO jobs (id, tenant_id, priority, state, total, succeeded, committed_at)
    SELECT gen_random_uuid(), :tenant, 'bulk', CASE WHEN n <= :live THEN 'running' ELSE 'completed' END, :images,
           CASE WHEN n <= :live THEN 0 ELSE :images END, now() - interval '1 hour'
    FROM generate_series(1, :live + :over) n
    """,
    """
    INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, first_seq, last_seq, state, not_before)
    SELECT j.id, no, j.tenant_id, 'classify', 'classify:x', 1, no * 64, no * 64 + 63,
           CASE j.state WHEN 'running' THEN 'ready' ELSE 'done' END, now() - no * interval '1 s'
    FROM jobs j CROSS JOIN generate_series(0, :per_job - 1) no
    """,
    """
    INSERT INTO signing_secrets (id, tenant_id, secret) VALUES (:tenant, :tenant, 'whsec_')
    """,
    """
    INSERT INTO webhook_endpoints (id, tenant_id, secret_id, url, events)
    SELECT gen_random_uuid(), :tenant, :tenant, 'https://example.org/' || n, '{}' FROM generate_series(1, 50) n
    """,
    """
    INSERT INTO events (id, tenant_id, type, data)
    SELECT gen_random_uuid(), :tenant, 'job.completed', '{}' FROM generate_series(1, 2000)
    """,
    """
    INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type, state, next_attempt_at)
    SELECT gen_random_uuid(), :tenant, w.id, e.id, e.type, 'pending', now() - interval '1 minute'
    FROM webhook_endpoints w CROSS JOIN events e
    """,
)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", type=int, default=100_000, help="chunks that wait")
    parser.add_argument("--done", type=int, default=900_000, help="chunks of jobs that are over")
    parser.add_argument("--explain", action="store_true", help="print the plan of each statement")
    asked = parser.parse_args()
    figures = Figures("scrape", "a reading of the queue for Prometheus")
    with LocalServers.temporary(services=("postgres",)) as servers:
        command.upgrade(alembic_config(servers.postgres.url), "head")
        database = Database(
            Settings(database_url=servers.postgres.url, redis_url="redis://none", s3_bucket="none"), pool_size=1
        )
        _fill(database, asked.ready, asked.done)
        print(_sizes(database))
        statements = {name: made for name, made in vars(reading).items() if isinstance(made, TextClause)}
        for name, statement in statements.items():
            figures.add(name, _milliseconds(database, statement), "ms")
            if asked.explain:
                _explain(database, statement)
        began = time.perf_counter()
        with database.begin() as session:
            reading.read(session)
        figures.add("a whole reading", (time.perf_counter() - began) * 1000, "ms")
        database.dispose()
    print(figures.keep())


def _fill(database: Database, ready: int, done: int) -> None:
    per_job = JOB_IMAGES // CHUNK_IMAGES
    values = {
        "tenant": uuid.uuid4(),
        "images": JOB_IMAGES,
        "per_job": per_job,
        "live": ready // per_job,
        "over": done // per_job,
    }
    with database.begin() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in FILL:
            session.execute(text(statement), values)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


def _sizes(database: Database) -> str:
    with database.begin() as session:
        chunks = session.execute(text("SELECT state, count(*) FROM chunks GROUP BY state ORDER BY state DESC")).all()
        deliveries = session.execute(reading.PENDING_DELIVERIES).scalar_one()
    return ", ".join([*(f"{count} {state} chunks" for state, count in chunks), f"{deliveries} deliveries waiting"])


def _milliseconds(database: Database, statement: TextClause) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        with database.begin() as session:
            taken.append(_timed(session, statement))
    return taken


def _timed(session: Session, statement: TextClause) -> float:
    _on_terms(session)
    began = time.perf_counter()
    session.execute(statement).all()
    return (time.perf_counter() - began) * 1000


def _explain(database: Database, statement: TextClause) -> None:
    with database.begin() as session:
        _on_terms(session)
        for line in session.scalars(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement.text}")):
            print(f"    {line}")


def _on_terms(session: Session) -> None:
    for term in reading.TERMS:
        session.execute(term)


if __name__ == "__main__":
    main()
