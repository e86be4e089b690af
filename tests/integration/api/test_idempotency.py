"""The same request twice makes one job."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from api.idempotency import RepeatableRequest, Ticket, fingerprint, once
from shared.db.session import Database
from shared.errors import IdempotencyInProgress, IdempotencyMismatch
from tests.integration.conftest import Api, MakeKey, assert_problem

KEY = {"Idempotency-Key": "one"}


def jobs_of(api: Api) -> list[str]:
    return [job["id"] for job in api.get("/v1/jobs?limit=1000").json()["jobs"]]


def test_a_repeated_create_gets_the_first_answer(api: Api) -> None:
    first = api.post("/v1/jobs", {"name": "a"}, headers=KEY)
    again = api.post("/v1/jobs", {"name": "a"}, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert jobs_of(api) == [first.json()["id"]]


def test_the_order_of_fields_does_not_matter(api: Api) -> None:
    first = api.post("/v1/jobs", {"name": "a", "external_id": "b"}, headers=KEY)
    again = api.post("/v1/jobs", {"external_id": "b", "name": "a"}, headers=KEY)
    assert again.json() == first.json()


def test_without_a_key_every_create_makes_a_job(api: Api) -> None:
    assert api.new_job() != api.new_job()


def test_a_key_with_another_body_is_refused(api: Api) -> None:
    api.post("/v1/jobs", {"name": "a"}, headers=KEY)
    assert_problem(api.post("/v1/jobs", {"name": "b"}, headers=KEY), 422, "idempotency-key-reused")
    assert len(jobs_of(api)) == 1


def test_keys_of_two_tenants_have_nothing_to_do_with_each_other(api: Api, anonymous: Api, make_key: MakeKey) -> None:
    other = anonymous.with_key(make_key())
    first, theirs = (one.post("/v1/jobs", {}, headers=KEY) for one in (api, other))
    assert first.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_a_key_is_one_to_255_printable_characters(api: Api, key: str) -> None:
    assert_problem(api.post("/v1/jobs", {}, headers={"Idempotency-Key": key}), 422, "invalid-request")


def test_the_same_request_many_times_at_once_makes_exactly_one_job(api: Api) -> None:
    barrier = Barrier(8)

    def create(_: int) -> tuple[int, str | None]:
        barrier.wait()
        answer = api.post("/v1/jobs", {"name": "race"}, headers=KEY)
        return answer.status, answer.json().get("id")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({job_id for status, job_id in answers if status == 201}) == 1
    assert len(jobs_of(api)) == 1


def test_while_the_first_runs_the_second_is_told_to_wait(api: Api, database: Database, tenant_id: uuid.UUID) -> None:
    body: dict[str, object] = {
        "name": "slow",
        "external_id": None,
        "metadata": {},
        "priority": "bulk",
        "classifier": None,
        "source": None,
        "webhook_url": None,
    }
    asked = RepeatableRequest(tenant_id, "one", fingerprint("POST /v1/jobs", body))
    with once(database, asked, keep_hours=1):
        answer = api.post("/v1/jobs", {"name": "slow"}, headers=KEY)
        assert_problem(answer, 409, "idempotency-key-in-use")
        assert int(answer.headers["Retry-After"]) >= 1


def test_a_failed_request_gives_its_key_back(api: Api) -> None:
    unknown = {"classifier": {"name": "nobody"}}
    assert_problem(api.post("/v1/jobs", unknown, headers=KEY), 422, "unknown-classifier")
    assert api.post("/v1/jobs", {}, headers=KEY).status == 201


def _asked(tenant_id: uuid.UUID, content: str = "x") -> RepeatableRequest:
    return RepeatableRequest(tenant_id, "k", fingerprint("test", content))


def _reserve(database: Database, asked: RepeatableRequest) -> Ticket:
    with once(database, asked, keep_hours=1) as ticket:
        return ticket


def _let_the_lock_end(database: Database, tenant_id: uuid.UUID) -> None:
    with database.begin() as session:
        session.execute(
            text("UPDATE idempotency_keys SET locked_until = now() - :past WHERE tenant_id = :tenant"),
            {"past": timedelta(seconds=1), "tenant": tenant_id},
        )


def test_a_reservation_whose_request_died_is_taken_over_by_the_same_request(
    database: Database, tenant_id: uuid.UUID
) -> None:
    _reserve(database, _asked(tenant_id))
    with pytest.raises(IdempotencyInProgress):
        _reserve(database, _asked(tenant_id))
    _let_the_lock_end(database, tenant_id)
    with pytest.raises(IdempotencyMismatch):
        _reserve(database, _asked(tenant_id, "other"))
    assert _reserve(database, _asked(tenant_id)).stored is None


def test_a_request_that_was_overtaken_creates_nothing(database: Database, tenant_id: uuid.UUID) -> None:
    slow = _reserve(database, _asked(tenant_id))
    with database.begin() as session:
        session.execute(
            text("UPDATE idempotency_keys SET locked_until = now() - interval '1 s' WHERE tenant_id = :tenant"),
            {"tenant": tenant_id},
        )
    fast = _reserve(database, _asked(tenant_id))
    with pytest.raises(IdempotencyInProgress), database.begin() as session:
        slow.complete(session, 201, {"id": "slow"}, location=None)
    with database.begin() as session:
        fast.complete(session, 201, {"id": "fast"}, location="/there")
    replayed = _reserve(database, _asked(tenant_id)).stored
    assert replayed is not None
    assert (replayed.body, replayed.location) == ({"id": "fast"}, "/there")


def test_a_forgotten_key_is_free_for_any_request(database: Database, tenant_id: uuid.UUID) -> None:
    ticket = _reserve(database, _asked(tenant_id))
    with database.begin() as session:
        ticket.complete(session, 201, {}, location=None)
        session.execute(
            text("UPDATE idempotency_keys SET expires_at = now() - interval '1 s' WHERE tenant_id = :tenant"),
            {"tenant": tenant_id},
        )
    assert _reserve(database, _asked(tenant_id, "other")).stored is None
