"""A disk that is full in the object store, and a database without a free connection: clear errors, no half job."""

import resource
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import pytest
import urllib3
from sqlalchemy import text

from deploy.local.servers import LocalServers
from shared.db import session as sessions
from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.storage import s3
from tests.integration.api.test_outages import Stack, stack
from tests.integration.conftest import Api, MakeSettings, Serve, assert_problem
from tests.patience import PATIENCE_SECONDS

__all__ = ["stack"]

MEBIBYTE = 1024**2
LARGE = 4 * MEBIBYTE


@contextmanager
def full_disk(servers: LocalServers) -> Iterator[None]:
    """No file of the object store can grow: the kernel refuses each write, as it does on a full disk."""
    unlimited = resource.prlimit(servers.objects.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(servers.objects.pid, resource.RLIMIT_FSIZE, unlimited)


def upload(api: Api) -> urllib3.BaseHTTPResponse:
    fields = [("files", (f"{n}.jpg", bytes([n]) * LARGE)) for n in range(2)]
    return api.post("/v1/jobs/upload", fields=fields, headers={"Idempotency-Key": "upload"}, timeout=PATIENCE_SECONDS)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prlimit is a call of Linux")
def test_a_full_disk_in_the_object_store_is_said_and_leaves_no_half_job(
    stack: Stack, serve_api: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "READ_TIMEOUT_SECONDS", 2)  # SeaweedFS tries a write again for half a minute.
    with full_disk(stack.servers), serve_api(stack.settings) as served:
        api = served.with_key(stack.api.key)
        assert_problem(upload(api), 503, "object-store-unavailable")
        assert api.get("/v1/jobs").json()["jobs"] == []
    api = stack.api
    again = upload(api)
    assert (again.status, "Idempotent-Replayed" in again.headers) == (202, False)
    assert len(api.get("/v1/jobs").json()["jobs"]) == 1


def test_a_pool_that_is_used_up_is_an_outage_and_works_again_afterwards(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "POOL_TIMEOUT_SECONDS", 0.5)
    database = Database(make_settings(), pool_size=2)
    with database.begin() as one, database.begin() as other:
        one.execute(text("SELECT 1"))
        other.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailable), database.begin() as third:
            third.execute(text("SELECT 1"))
    with database.begin() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    database.dispose()


def test_while_every_connection_of_the_api_is_taken_it_answers_503_and_afterwards_works(
    stack: Stack, serve_api: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "POOL_TIMEOUT_SECONDS", 0.5)
    job_id = stack.api.new_job()
    settings = stack.settings.model_copy(update={"key_share": 1.0, "tenant_share": 1.0})
    with serve_api(settings) as served, ThreadPoolExecutor(60) as callers:
        api = served.with_key(stack.api.key)
        holder = Database(stack.settings, pool_size=1)
        with holder.begin() as session:  # Whoever asks for a job now waits, and holds a connection meanwhile.
            session.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
            waiting = [callers.submit(api.get, f"/v1/jobs/{job_id}") for _ in range(60)]
            refused = next(
                done for done in as_completed(waiting, timeout=PATIENCE_SECONDS) if done.result().status != 200
            )
            problem = assert_problem(refused.result(), 503, "database-unavailable")
            assert int(refused.result().headers["Retry-After"]) >= 1
            assert problem["request_id"]
        answers = Counter(one.result().status for one in waiting)
        assert set(answers) <= {200, 503}
        assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "draft"
        holder.dispose()
