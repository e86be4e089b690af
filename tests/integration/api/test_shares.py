"""One key takes all it can get; the others of the same API process go on."""

import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from shared.db.session import Database
from shared.settings import Settings
from tests.integration.api.conftest import Hands
from tests.integration.api.event_stream import following
from tests.integration.conftest import Api, MakeKey, MakeSettings, assert_problem
from tests.patience import PATIENCE_SECONDS

LIMITS = {
    "max_waiting_clients": 8,
    "max_body_bytes_at_a_time": 1024 * 1024,
    "max_json_bytes": 64 * 1024,
    "predict_wait_seconds": 60.0,
}


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(**LIMITS)


@pytest.fixture
def crowded(api: Api, anonymous: Api, make_key: MakeKey, tenant_id: uuid.UUID) -> Iterator[tuple[Api, str]]:
    """A job that two streams of its key follow: of eight places its share."""
    job_id = api.new_job()
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(following(api, job_id))
        yield anonymous.with_key(make_key(tenant_id)), job_id


def test_a_key_may_hold_its_share_of_the_waiting_places(
    api: Api, anonymous: Api, crowded: tuple[Api, str], make_key: MakeKey
) -> None:
    colleague, job_id = crowded
    for refused in (
        api.get(f"/v1/jobs/{job_id}?wait=5"),
        api.get(f"/v1/jobs/{job_id}/events"),
        api.get(f"/v1/jobs/{job_id}/export"),
    ):
        assert assert_problem(refused, 429, "too-many-waiting")["setting"] == "PHYTOBATCH_KEY_SHARE"
        assert int(refused.headers["Retry-After"]) >= 1
    assert api.get(f"/v1/jobs/{job_id}").status == 200
    stranger = anonymous.with_key(make_key())
    with following(colleague, job_id), following(colleague, job_id):
        assert colleague.get(f"/v1/jobs/{job_id}").status == 200
        assert stranger.get(f"/v1/jobs/{stranger.new_job()}?wait=0.1").status == 200


def test_an_image_that_nobody_may_wait_for_is_answered_with_its_job(api: Api, crowded: tuple[Api, str]) -> None:
    assert crowded
    answer = api.post("/predict", fields={"file": ("a.jpg", b"a leaf")})
    assert (answer.status, answer.json()["state"]) == (202, "queued")


def test_an_export_gives_its_place_back(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    api.add(job_id, "a.jpg")
    api.commit(job_id)
    hands.run(job_id)
    assert [api.get(f"/v1/jobs/{job_id}/export").status for _ in range(10)] == [200] * 10
    assert [api.get(f"/v1/jobs/{uuid.uuid4()}/export").status for _ in range(10)] == [404] * 10


def test_a_key_may_send_its_share_of_bodies_at_a_time(api: Api, anonymous: Api, make_key: MakeKey) -> None:
    """The first may be larger than the share; it gives its place back, also when it is refused."""
    large = ("large.jpg", b"x" * 900_000)
    for _ in range(3):
        assert api.post("/v1/jobs/upload", fields=[("files", large)]).status == 202
        assert_problem(api.post("/v1/jobs/upload", fields=[("file", large)]), 422, "invalid-request")
    assert anonymous.with_key(make_key()).post("/v1/jobs/upload", fields=[("files", large)]).status == 202


def test_an_upload_stops_no_other_request_of_its_key(api: Api) -> None:
    """Neither one that reads nor one that makes a job, however long the upload takes."""
    where = urlsplit(api.base)
    with socket.create_connection((where.hostname, where.port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(
            b"POST /v1/jobs/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Expect: 100-continue\r\nContent-Length: 900000\r\nX-API-Key: " + (api.key or "").encode() + b"\r\n\r\n"
        )
        assert line.recv(100)[:12] == b"HTTP/1.1 100"  # Its place is taken.
        assert api.get("/v1/jobs").status == 200
        assert api.post("/v1/jobs", {}).status == 201


def test_a_key_whose_requests_hang_takes_no_thread_and_no_connection_of_others(
    api: Api, anonymous: Api, make_key: MakeKey, database: Database
) -> None:
    job_id, other = api.new_job(), anonymous.with_key(make_key())
    with ThreadPoolExecutor(40) as callers:
        with database.begin() as session:  # Whoever asks for a job now hangs, with a thread and a connection.
            session.execute(text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
            paths = [f"/v1/jobs/{job_id}", "/v1/jobs", f"/v1/jobs/{job_id}/results", f"/v1/jobs/{job_id}/summary"]
            hanging = [callers.submit(api.get, path) for path in paths * 10]
            assert [other.get("/v1/classifiers").status for _ in range(20)] == [200] * 20
            assert not any(one.done() for one in hanging)
        assert {one.result().status for one in hanging} == {200}
