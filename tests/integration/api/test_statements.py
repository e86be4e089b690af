"""However many rows a list has, it takes as many statements."""

import uuid

import pytest
from sqlalchemy import Engine, text

from shared.db.session import Database
from tests.integration.conftest import Api, insert_key, insert_tenant
from tests.integration.statements import statements

FEW, MANY = 2, 40

# Of each list, so many rows of a tenant and of its job.
FILL = (
    "INSERT INTO signing_secrets (id, tenant_id, secret) VALUES (:tenant, :tenant, 'whsec_x')",
    """
    INSERT INTO webhook_endpoints (id, tenant_id, secret_id, url, events)
    SELECT gen_random_uuid(), :tenant, :tenant, 'https://example.org/' || n, '{}' FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO jobs (id, tenant_id, name, priority, state, total, succeeded, classifier_id, webhook_endpoint_id)
    SELECT CASE n WHEN 1 THEN CAST(:job AS uuid) ELSE gen_random_uuid() END, :tenant, 'job ' || n, 'bulk', 'running',
           :rows + 1, :rows, (SELECT id FROM classifiers LIMIT 1),
           (SELECT id FROM webhook_endpoints WHERE tenant_id = :tenant AND url = 'https://example.org/' || n)
    FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO images (job_id, seq, name, size, object_key)
    SELECT :job, n, 'image ' || n, 4, n::text FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO results (job_id, seq, position, status, label, probabilities, classifier_id)
    SELECT job_id, seq, seq, 'succeeded', 'rust', '{0.1, 0.1, 0.8}', (SELECT id FROM classifiers LIMIT 1)
    FROM images WHERE job_id = :job
    """,
    "INSERT INTO correction_entries (job_id, seq, label) SELECT job_id, seq, 'healthy' FROM images WHERE job_id = :job",
    """
    INSERT INTO exports (id, tenant_id, job_id, format, state, object_key, finished_at)
    SELECT gen_random_uuid(), :tenant, :job, 'csv', 'completed', 'exports/x/y/1', now()
    FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO receipts (id, tenant_id, job_id, what, reason)
    SELECT gen_random_uuid(), :tenant, gen_random_uuid(), 'job', 'requested' FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO events (id, tenant_id, job_id, type, data, revision)
    SELECT gen_random_uuid(), :tenant, :job, 'job.progress', '{}', n FROM generate_series(1, :rows) AS n
    """,
    """
    INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type)
    SELECT gen_random_uuid(), :tenant, (SELECT id FROM webhook_endpoints WHERE tenant_id = :tenant LIMIT 1), id, type
    FROM events WHERE tenant_id = :tenant
    """,
)
LISTS = {
    "/v1/jobs": "jobs",
    "/v1/jobs/{job}/results": "results",
    "/v1/jobs/{job}/corrections": "corrections",
    "/v1/jobs/{job}/exports": "exports",
    "/v1/receipts": "receipts",
    "/v1/webhooks": "webhooks",
    "/v1/deliveries": "deliveries",
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_takes_as_many_statements_however_long_it_is(anonymous: Api, database: Database, path: str) -> None:
    counts = [count_statements(anonymous, database, path, rows) for rows in (FEW, MANY)]
    assert counts[0] == counts[1], counts


def count_statements(anonymous: Api, database: Database, path: str, rows: int) -> int:
    """Of the whole request: who asks, and what is answered."""
    tenant_id, job_id = insert_tenant(database), uuid.uuid4()
    with database.begin() as session:
        for statement in FILL:
            session.execute(text(statement), {"tenant": tenant_id, "job": job_id, "rows": rows})
    api = anonymous.with_key(insert_key(database, tenant_id))
    asked = f"{path.format(job=job_id)}?limit=1000"
    api.get(asked)  # which notes that the key is in use
    with statements(Engine) as seen:
        answer = api.get(asked)
    assert answer.status == 200, answer.data
    assert len(answer.json()[LISTS[path]]) == rows
    return len(seen)
