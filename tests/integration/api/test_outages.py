"""What the API says while a server is away. Each test has servers of its own, because it stops them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from alembic import command
from pydantic import SecretStr

from api import bootstrap
from deploy.local.servers import LocalServers
from shared.access import keys
from shared.classifiers import registry
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import MANIFEST, Api, Serve, assert_problem, insert_key, insert_tenant
from tests.patience import wait_for


@dataclass(frozen=True, slots=True)
class Stack:
    """Servers that a test may stop, and an API on them."""

    servers: LocalServers
    settings: Settings
    api: Api


@pytest.fixture
def stack(serve_api: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with LocalServers.temporary(fast=True) as servers:
        for name, value in servers.environment.items():
            monkeypatch.setenv(name, value)
        settings = Settings()
        command.upgrade(alembic_config(settings.database_url.get_secret_value()), "head")
        servers.objects.create_bucket(settings.s3_bucket)
        database = Database(settings, pool_size=1)
        with database.begin() as session:
            registry.register(session, MANIFEST)
        key = insert_key(database, insert_tenant(database))
        database.dispose()
        with serve_api(settings) as served:
            yield Stack(servers, settings, served.with_key(key))


def test_without_redis_jobs_are_still_taken(stack: Stack) -> None:
    stack.servers.valkey.kill()
    api = stack.api
    for _ in range(3):
        job_id = api.new_job()
        api.add(job_id, "a.jpg")
        assert api.commit(job_id)["state"] == "validating"
    assert api.post("/v1/jobs/upload", fields=[("files", ("a.jpg", b"x"))]).status == 202
    ready = api.get("/readyz")
    assert (ready.status, ready.json()["ready"]) == (200, True)
    redis = ready.json()["checks"]["redis"]
    assert (redis["ok"], redis["required"]) == (False, False)


def test_without_postgres_clients_are_told_to_come_again(stack: Stack) -> None:
    job_id = stack.api.new_job()
    stack.servers.postgres.kill()
    for method, path in [
        ("GET", f"/v1/jobs/{job_id}"),
        ("POST", f"/v1/jobs/{job_id}/commit"),
        ("GET", "/v1/classifiers"),
    ]:
        answer = stack.api.request(method, path)
        assert_problem(answer, 503, "database-unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert stack.api.get("/healthz").status == 200
    ready = stack.api.get("/readyz")
    assert (ready.status, ready.json()["ready"]) == (503, False)
    assert ready.json()["checks"]["database"]["ok"] is False
    stack.servers.postgres.restart()
    assert stack.api.get(f"/v1/jobs/{job_id}").json()["state"] == "draft"
    assert stack.api.get("/readyz").status == 200


def test_without_the_object_store_jobs_are_read_and_uploads_wait(stack: Stack) -> None:
    api = stack.api
    job_id = api.new_job()
    stack.servers.objects.kill()
    api.add(job_id, "a.jpg")
    assert api.get(f"/v1/jobs/{job_id}").status == 200
    answer = api.post("/v1/jobs/upload", fields=[("files", ("a.jpg", b"x"))], headers={"Idempotency-Key": "u"})
    assert_problem(answer, 503, "object-store-unavailable")
    ready = api.get("/readyz")
    assert (ready.status, ready.json()["checks"]["object_store"]["ok"]) == (503, False)
    assert [job["id"] for job in api.get("/v1/jobs").json()["jobs"]] == [job_id]
    stack.servers.objects.restart()
    again = api.post("/v1/jobs/upload", fields=[("files", ("a.jpg", b"x"))], headers={"Idempotency-Key": "u"})
    assert again.status == 202
    assert "Idempotent-Replayed" not in again.headers


def test_an_api_that_starts_while_postgres_is_away_makes_the_bootstrap_key_later(
    stack: Stack, serve_api: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(bootstrap, "RETRY_SECONDS", 0.2)
    key = keys.generate().text
    stack.servers.postgres.kill()
    with serve_api(stack.settings.model_copy(update={"bootstrap_api_key": SecretStr(key)})) as served:
        api = served.with_key(key)
        assert api.get("/healthz").status == 200
        assert_problem(api.get("/v1/jobs"), 503, "database-unavailable")
        stack.servers.postgres.restart()
        wait_for(lambda: api.get("/v1/jobs").status, lambda status: status == 200)
