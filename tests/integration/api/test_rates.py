"""Rate limits of keys, counted in a real Valkey."""

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from shared.db.models import Tenant
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, assert_problem, serve

FEW = 5


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(requests_per_minute=FEW)


def left(api: Api) -> int:
    """Return the requests that are left after one more."""
    return int(re.fullmatch(r'"requests";r=(\d+);t=\d+', api.get("/v1/classifiers").headers["RateLimit"])[1])  # type: ignore[index]


def test_every_answer_says_what_is_left(api: Api) -> None:
    answer = api.get("/v1/classifiers")
    assert answer.headers["RateLimit-Policy"] == f'"requests";q={FEW};w=60'
    assert left(api) == FEW - 2
    refused = api.post("/v1/jobs", {"nmae": "x"})
    assert (refused.status, refused.headers["RateLimit"][:14]) == (422, '"requests";r=2')


def test_a_request_too_many_is_refused_and_says_when_to_come_back(api: Api) -> None:
    for _ in range(FEW):
        assert api.get("/v1/classifiers").status == 200
    answer = api.get("/v1/classifiers")
    problem = assert_problem(answer, 429, "rate-limited")
    assert problem["setting"] == "PHYTOBATCH_REQUESTS_PER_MINUTE"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert '"requests";r=0;' in answer.headers["RateLimit"]


def test_each_key_is_counted_for_itself(api: Api, make_key: MakeKey, tenant_id: uuid.UUID) -> None:
    for _ in range(FEW + 1):
        api.get("/v1/classifiers")
    assert left(api.with_key(make_key(tenant_id))) == FEW - 1


def test_the_limit_of_the_tenant_comes_before_the_setting(api: Api, database: Database, tenant_id: uuid.UUID) -> None:
    with database.begin() as session:
        session.get_one(Tenant, tenant_id).requests_per_minute = 50
    assert left(api) == 49
    with database.begin() as session:
        session.get_one(Tenant, tenant_id).requests_per_minute = 0
    assert "RateLimit" not in api.get("/v1/classifiers").headers


def test_many_at_once_are_counted_one_by_one(api: Api) -> None:
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: api.get("/v1/classifiers").status, range(12)))
    assert statuses.count(200) == FEW


def test_who_waits_long_is_counted_once(api: Api) -> None:
    job_id = api.new_job()
    etag = {"If-None-Match": api.get(f"/v1/jobs/{job_id}").headers["ETag"]}
    assert api.get(f"/v1/jobs/{job_id}?wait=2", headers=etag).status == 304
    assert left(api) == FEW - 4


def test_whoever_has_no_key_is_not_counted_and_probes_neither(anonymous: Api) -> None:
    for _ in range(FEW + 1):
        assert anonymous.get("/readyz").status in {200, 503}
        assert anonymous.get("/healthz").status == 200
        assert anonymous.get("/v1/classifiers").status == 401
    assert "RateLimit" not in anonymous.get("/healthz").headers


def test_the_client_waits_as_long_as_it_is_told(api: Api, database: Database, tenant_id: uuid.UUID) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        with database.begin() as session:
            session.get_one(Tenant, tenant_id).requests_per_minute = 0

    with Phytobatch(api.base, api.key) as client:
        person = client.with_retry(RetryPolicy(total_seconds=15), sleep=sleep)
        for _ in range(FEW):
            person.classifiers()
        person.create_job(name="a POST too: the one that was refused did nothing")
    (waited,) = waits
    assert 1 <= waited <= 66


@pytest.fixture
def without_redis(make_settings: MakeSettings, settings: Settings) -> Iterator[Api]:
    url = settings.database_url.get_secret_value()
    away = make_settings(requests_per_minute=FEW, database_url=url, redis_url="redis://127.0.0.1:1/0")
    with serve(away) as running:
        yield running


def test_nobody_is_held_back_while_redis_is_away_and_the_log_says_so_once(
    without_redis: Api, make_key: MakeKey
) -> None:
    api = without_redis.with_key(make_key())
    with capture_logs() as lines:
        answers = [api.get("/v1/classifiers") for _ in range(3 * FEW)]
    assert {answer.status for answer in answers} == {200}
    assert all("RateLimit" not in answer.headers for answer in answers)
    assert [line["event"] for line in lines].count("rate_limits_not_counted") == 1


def test_by_default_the_limit_is_far_above_what_a_large_submission_asks(
    serve_api: Serve, make_settings: MakeSettings, settings: Settings, make_key: MakeKey
) -> None:
    """20,000 images are 20 pages of names, and a look at the job every two seconds."""
    url = settings.database_url.get_secret_value()
    with serve_api(make_settings(database_url=url)) as running:
        assert left(running.with_key(make_key())) > 20_000
