"""Retention as part of the sweep of a worker, and what it costs where there are many jobs."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import TextClause, text

from shared.db.models import Job
from shared.db.session import Database
from shared.retention.due import DUE_JOBS, DUE_ORIGINALS
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.conftest import Api, insert_tenant
from worker.context import Context
from worker.loop.retention import RetentionKeeper

MANY = 50_000
# Jobs that ended one minute after the other, none of them due.
MANY_JOBS = text(
    "INSERT INTO jobs (id, tenant_id, state, priority, metadata, created_at, committed_at, finished_at) "
    "SELECT gen_random_uuid(), :tenant, 'completed', 'bulk', '{}', now(), now(), now() - n * interval '1 minute' "
    "FROM generate_series(1, :many) AS n"
)


def test_the_sweep_of_a_worker_does_it(
    api: Api, context: Context, finished: Callable[..., str], objects_of: Callable[[str], list[str]]
) -> None:
    job_id = finished("3 days", keep_originals_days=2)
    RetentionKeeper(context).sweep()
    assert objects_of(job_id) == []
    assert api.get(f"/v1/jobs/{job_id}").json()["originals_removed_at"] is not None


def test_while_the_object_store_is_away_it_waits(
    api: Api, context: Context, settings: Settings, finished: Callable[..., str], objects_of: Callable[[str], list[str]]
) -> None:
    job_id = finished("3 days", keep_originals_days=2)
    away = replace(context, store=S3Store(settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:1"})))
    RetentionKeeper(away).sweep()
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert (receipt["completed_at"], len(objects_of(job_id))) == (None, 3)
    with context.database.begin() as session:
        session.execute(text("UPDATE receipts SET not_before = now() WHERE id = :id"), {"id": uuid.UUID(receipt["id"])})
    RetentionKeeper(context).sweep()
    assert objects_of(job_id) == []


@pytest.mark.plans
@pytest.mark.parametrize("asked", [DUE_JOBS, DUE_ORIGINALS], ids=["jobs", "originals"])
def test_among_many_jobs_it_reads_those_that_are_due(fresh_database: Database, asked: TextClause) -> None:
    tenant = insert_tenant(fresh_database)
    with fresh_database.begin() as session:
        session.execute(MANY_JOBS, {"tenant": tenant, "many": MANY})
        session.execute(text("ANALYZE jobs"))
    with fresh_database.begin() as session:
        plan = session.execute(
            text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked.text}"), {"days": 90, "limit": 50}
        ).scalar_one()
        assert session.query(Job).count() == MANY
    top = plan[0]["Plan"]
    # The whole table has more than a thousand blocks.
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 200
