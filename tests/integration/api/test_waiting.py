"""``?wait=``: the answer comes when there is something to say. No test here measures how fast."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import urllib3

from shared.contracts.states import Scope
from shared.settings import Settings
from tests.integration.api.conftest import Hands
from tests.integration.api.event_stream import following
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, assert_problem
from tests.patience import PATIENCE_SECONDS, wait_for

# Whoever waits for this long has not been told.
LONG = 300
SOON = PATIENCE_SECONDS
A_MOMENT = 0.3
CLOSED = "redis://127.0.0.1:1/0"

Answer = urllib3.BaseHTTPResponse


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(max_wait_seconds=LONG)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture(scope="module")
def without_redis(settings: Settings, serve_api: Serve) -> Iterator[Api]:
    """The same database behind an API that has no Redis."""
    with serve_api(settings.model_copy(update={"redis_url": type(settings.redis_url)(CLOSED)})) as api:
        yield api


@pytest.fixture(scope="module")
def by_hints_alone(settings: Settings, serve_api: Serve) -> Iterator[Api]:
    """The same database behind an API that looks by itself once an hour."""
    with serve_api(settings.model_copy(update={"watch_seconds": 3600.0})) as api:
        yield api


@pytest.fixture(scope="module")
def for_one(settings: Settings, serve_api: Serve) -> Iterator[Api]:
    """The same database behind an API with one place for those who wait."""
    with serve_api(settings.model_copy(update={"max_waiting_clients": 1})) as api:
        yield api


def waits(
    pool: ThreadPoolExecutor, api: Api, job_id: str, seconds: float = LONG, etag: str | None = None
) -> "Future[Answer]":
    """Ask in a thread, and see that no answer comes by itself."""
    headers = {} if etag is None else {"If-None-Match": etag}
    asked = pool.submit(api.get, f"/v1/jobs/{job_id}?wait={seconds}", headers=headers)
    time.sleep(A_MOMENT)
    assert not asked.done(), asked.result().data
    return asked


def test_with_a_tag_the_answer_is_the_next_change(
    api: Api, committed: str, hands: Hands, pool: ThreadPoolExecutor
) -> None:
    tag = api.get(f"/v1/jobs/{committed}").headers["ETag"]
    states = []
    for _ in range(2):
        asked = waits(pool, api, committed, etag=tag)
        hands.step(committed)
        answer = asked.result(SOON)
        assert answer.status == 200
        assert answer.headers["ETag"] != tag
        assert int(answer.headers["Retry-After"]) >= 1
        tag = answer.headers["ETag"]
        states.append(answer.json()["state"])
    assert states == ["queued", "running"]


def test_a_tag_that_is_old_is_answered_at_once(api: Api, committed: str) -> None:
    answer = api.get(f"/v1/jobs/{committed}?wait={LONG}", headers={"If-None-Match": 'W/"0"'}, timeout=SOON)
    assert answer.status == 200
    assert answer.headers["ETag"] == api.get(f"/v1/jobs/{committed}").headers["ETag"]


def test_without_a_tag_the_answer_is_the_end(api: Api, committed: str, hands: Hands, pool: ThreadPoolExecutor) -> None:
    asked = waits(pool, api, committed)
    for _ in range(3):
        hands.step(committed)
    time.sleep(A_MOMENT)
    assert not asked.done()
    hands.run(committed)
    answer = asked.result(SOON)
    assert (answer.status, answer.json()["state"]) == (200, "completed")
    assert "Retry-After" not in answer.headers
    again = api.get(f"/v1/jobs/{committed}?wait={LONG}", timeout=SOON)
    assert again.json()["state"] == "completed"


def test_after_the_wait_the_answer_is_as_without_it(api: Api, drafted: str) -> None:
    plain = api.get(f"/v1/jobs/{drafted}")
    answer = api.get(f"/v1/jobs/{drafted}?wait=0.2")
    assert (answer.status, answer.json()) == (200, plain.json())
    assert answer.headers["ETag"] == plain.headers["ETag"]
    answer = api.get(f"/v1/jobs/{drafted}?wait=0.2", headers={"If-None-Match": plain.headers["ETag"]})
    assert (answer.status, answer.data) == (304, b"")


def test_no_time_to_wait_is_no_wait(api: Api, drafted: str) -> None:
    assert api.get(f"/v1/jobs/{drafted}?wait=0").json()["state"] == "draft"


def test_everybody_who_waits_for_a_job_is_told(
    api: Api, committed: str, hands: Hands, pool: ThreadPoolExecutor
) -> None:
    asked = [waits(pool, api, committed) for _ in range(5)]
    hands.run(committed)
    answers = [one.result(SOON) for one in asked]
    assert {answer.json()["state"] for answer in answers} == {"completed"}
    assert len({answer.headers["ETag"] for answer in answers}) == 1


def test_a_hint_is_enough(by_hints_alone: Api, api: Api, pool: ThreadPoolExecutor) -> None:
    mine = by_hints_alone.with_key(api.key)

    def is_told() -> bool:
        # Another process changes the job; a hint that comes before this one listens is lost, so it may be repeated.
        job_id = api.new_job()
        asked = waits(pool, mine, job_id, seconds=3)
        api.post(f"/v1/jobs/{job_id}/cancel")
        return bool(asked.result(SOON).json()["state"] == "canceled")

    wait_for(is_told)


def test_without_redis_a_change_is_seen_too(
    without_redis: Api, api: Api, committed: str, hands: Hands, pool: ThreadPoolExecutor
) -> None:
    asked = waits(pool, without_redis.with_key(api.key), committed)
    with following(without_redis.with_key(api.key), committed) as stream:
        hands.run(committed)
        assert stream.until("job.completed")
    assert asked.result(SOON).json()["state"] == "completed"


def test_a_job_that_is_deleted_meanwhile_is_not_found(api: Api, drafted: str, pool: ThreadPoolExecutor) -> None:
    asked = waits(pool, api, drafted)
    api.request("DELETE", f"/v1/jobs/{drafted}")
    # A draft is canceled before it is removed, and whoever sees that first has the end that it waits for.
    assert asked.result(SOON).status in {200, 404}
    assert_problem(api.get(f"/v1/jobs/{drafted}?wait=1"), 404, "not-found")


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "x", ""])
def test_a_wait_that_is_no_time_is_refused(api: Api, drafted: str, wait: str) -> None:
    assert_problem(api.get(f"/v1/jobs/{drafted}?wait={wait}"), 422, "invalid-request")


def test_a_wait_over_the_limit_names_the_setting(api: Api, drafted: str, settings: Settings) -> None:
    too_long = settings.max_wait_seconds + 0.5
    problem = assert_problem(api.get(f"/v1/jobs/{drafted}?wait={too_long}"), 422, "limit-exceeded")
    assert problem["setting"] == "PHYTOBATCH_MAX_WAIT_SECONDS"


def test_only_its_tenant_may_wait_and_only_with_the_scope(api: Api, committed: str, make_key: MakeKey) -> None:
    path = f"/v1/jobs/{committed}?wait={LONG}"
    assert_problem(api.with_key(make_key()).get(path, timeout=SOON), 404, "not-found")
    assert_problem(api.with_key(make_key(None, Scope.SUBMIT)).get(path, timeout=SOON), 403, "forbidden")
    assert_problem(api.get(f"/v1/jobs/{uuid.uuid4()}?wait={LONG}", timeout=SOON), 404, "not-found")


def test_a_client_too_many_is_told_to_come_again_until_another_has_left(for_one: Api, api: Api, drafted: str) -> None:
    mine = for_one.with_key(api.key)
    path = f"/v1/jobs/{drafted}?wait=0.1"
    with following(mine, drafted):
        for refused in (mine.get(path), mine.get(f"/v1/jobs/{drafted}/events")):
            assert_problem(refused, 503, "too-many-waiting")
            assert int(refused.headers["Retry-After"]) >= 1
        assert mine.get(f"/v1/jobs/{drafted}").status == 200
    wait_for(lambda: mine.get(path).status == 200)


def test_a_client_that_leaves_while_it_waits_frees_its_place(for_one: Api, api: Api, drafted: str) -> None:
    mine = for_one.with_key(api.key)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        mine.get(f"/v1/jobs/{drafted}?wait=60", timeout=A_MOMENT)
    wait_for(lambda: mine.get(f"/v1/jobs/{drafted}?wait=0.1").status == 200)


def test_when_the_server_stops_those_who_wait_get_the_job_as_it_is(
    settings: Settings, serve_api: Serve, api: Api, drafted: str, pool: ThreadPoolExecutor
) -> None:
    tag = api.get(f"/v1/jobs/{drafted}").headers["ETag"]
    with serve_api(settings) as stopping:
        mine = stopping.with_key(api.key)
        plain = waits(pool, mine, drafted)
        tagged = waits(pool, mine, drafted, etag=tag)
        streams = following(mine, drafted)
        stream = streams.__enter__()
        stream.until("job.progress")
    # Here the server is down: it did not wait for any of them.
    assert (plain.result(SOON).status, plain.result().json()["state"]) == (200, "draft")
    assert tagged.result(SOON).status == 304
    assert stream.rest() == []
    streams.__exit__(None, None, None)
