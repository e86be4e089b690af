"""The speed of the last finished job with tiles of a classifier: one row of an index, however many jobs there were."""

import uuid

import pytest
from sqlalchemy import text

from shared.db.session import Database
from shared.jobs.queries import read_jobs
from tests.integration.conftest import insert_tenant
from tests.integration.jobs.factory import Jobs
from tests.integration.statements import Plan, explain, statements

pytestmark = pytest.mark.plans

JOBS = 5_000
# The way down to a row of each of the few tables, the queue included.
BUFFERS = 60
# Thousands of a single photograph, of no tiles, and of many with tiles: one of the last is read.
FINISHED = text(
    """
    INSERT INTO jobs (id, tenant_id, state, priority, classifier_id, total, tiling, work_total, work_done,
                      started_at, finished_at)
    SELECT gen_random_uuid(), :tenant, 'completed', 'bulk', :classifier, :total, :tiling,
           CAST(:work AS bigint), coalesce(CAST(:work AS bigint), 0),
           now() - n * interval '1 minute' - interval '10 seconds', now() - n * interval '1 minute'
    FROM generate_series(1, :jobs) AS n
    """
)
TILES = '{"edge": 256, "overlap": 0.0}'


def reading(database: Database, job_id: uuid.UUID) -> Plan:
    with statements(database.engine) as seen, database.begin() as session:
        read_jobs(session, [job_id])
    (one,) = seen
    return explain(database.engine, one)


def test_it_is_found_in_an_index(jobs: Jobs, database: Database) -> None:
    tenant = insert_tenant(database)
    kinds = [(1, TILES, 4), (40, None, None), (40, TILES, 200)]
    with database.begin() as session:
        for total, tiling, work in kinds:
            session.execute(
                FINISHED,
                {
                    "tenant": tenant,
                    "classifier": jobs.classifier.id,
                    "total": total,
                    "tiling": tiling,
                    "work": work,
                    "jobs": JOBS,
                },
            )
        session.execute(text("ANALYZE jobs"))
    tiled, plain = jobs.committed(tiling={"edge": 256, "overlap": 0.0}), jobs.committed()
    with database.begin() as session:
        speeds = {row.job.id: row.tiles_per_second for row in read_jobs(session, [tiled, plain])}
    assert speeds == {tiled: 20.0, plain: None}
    plan = reading(database, tiled)
    assert ("Index Scan", "ix_jobs_measured") in plan.walked
    assert plan.buffers < BUFFERS
    assert reading(database, plain).buffers < plan.buffers, "of a job without tiles nothing is looked for"
