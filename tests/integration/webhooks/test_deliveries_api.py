"""Deliveries over HTTP: they come from real changes of state, are listed, and tell of every attempt."""

import json
import uuid

import pytest
from sqlalchemy import select

from shared.contracts.states import DeliveryState, ImageStatus
from shared.db.models import Classifier
from shared.db.session import Database
from tests.integration.conftest import assert_problem
from tests.integration.jobs.factory import Jobs
from tests.integration.webhooks.hooks import URL, Hooks

NOBODY = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"
ROUNDS = 3


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """Moves jobs along their road as a worker does, in the database of the API."""
    with database.begin() as session:
        classifier = session.scalars(select(Classifier)).one()
    return Jobs(database, classifier)


def test_the_way_of_a_job_becomes_deliveries(hooks: Hooks, others: Hooks, jobs: Jobs) -> None:
    endpoint = hooks.make()
    deaf = hooks.make(events=["job.expired", "job.progress"])
    others.make()
    job_id = jobs.queued(tenant=hooks.tenant_id, images=3)
    while (held := jobs.try_claim()) is not None:
        jobs.finish(held, status=ImageStatus.SUCCEEDED)
    found = hooks.deliveries(f"?job={job_id}")
    assert [one["event"] for one in found] == ["job.completed", "job.started", "job.validated"]
    assert {one["endpoint_id"] for one in found} == {endpoint["id"]}
    assert hooks.deliveries(f"?endpoint={deaf['id']}") == []
    assert others.deliveries() == []
    first = found[0]
    assert (first["state"], first["attempts"], first["job_id"], first["url"]) == ("pending", 0, str(job_id), URL)
    assert (first["last_status"], first["last_error"], first["ended_at"]) == (None, None, None)
    assert first["next_attempt_at"] is not None
    ((event_id,),) = hooks.sql("SELECT id FROM events WHERE job_id = :j AND type = 'job.completed'", j=job_id)
    assert first["webhook_id"] == str(event_id)


def test_a_delivery_shows_what_is_sent(hooks: Hooks) -> None:
    hooks.make()
    job_id = hooks.canceled_job(name="Nordfeld 🌿")
    (listed,) = hooks.deliveries()
    found = hooks.api.get(listed["links"]["self"]).json()
    body = json.loads(found.pop("body"))
    assert found.pop("attempt_log") == []
    assert found == listed
    assert (body["type"], body["timestamp"][-1]) == ("job.canceled", "Z")
    assert (body["data"]["job_id"], body["data"]["name"], body["data"]["state"]) == (job_id, "Nordfeld 🌿", "canceled")
    assert body["data"]["links"]["results"] == f"/v1/jobs/{job_id}/results"


def test_the_latest_hundred_attempts_are_told_newest_first(hooks: Hooks) -> None:
    hooks.make()
    hooks.canceled_job()
    delivery_id = hooks.deliveries()[0]["id"]
    hooks.write(
        "INSERT INTO webhook_attempts (delivery_id, milliseconds, status, error, response) "
        "SELECT :id, n, CASE WHEN n % 2 = 1 THEN 503 END, CASE WHEN n % 2 = 0 THEN 'timeout' END, "
        "CASE WHEN n % 2 = 1 THEN 'busy' END FROM generate_series(1, 103) n ORDER BY n",
        id=delivery_id,
    )
    log = hooks.api.get(f"/v1/deliveries/{delivery_id}").json()["attempt_log"]
    assert [one["milliseconds"] for one in log] == list(range(103, 3, -1))
    assert {(one["status"], one["error"], one["response"]) for one in log} == {
        (503, None, "busy"),
        (None, "timeout", None),
    }
    assert all(one["at"] for one in log)


def test_deliveries_are_found_by_endpoint_job_and_state(hooks: Hooks) -> None:
    one, two = hooks.make(), hooks.make(url="https://other.example.org/")
    jobs = [hooks.canceled_job() for _ in range(ROUNDS)]
    everything = hooks.deliveries()
    assert len(everything) == 2 * ROUNDS
    assert [each["id"] for each in everything] == sorted((each["id"] for each in everything), reverse=True)
    assert {each["endpoint_id"] for each in hooks.deliveries(f"?endpoint={one['id']}")} == {one["id"]}
    assert len(hooks.deliveries(f"?job={jobs[0]}")) == 2
    hooks.end(everything[0]["id"], DeliveryState.FAILED)
    hooks.end(everything[3]["id"], DeliveryState.DELIVERED)
    assert [each["id"] for each in hooks.deliveries("?state=failed")] == [everything[0]["id"]]
    assert [each["id"] for each in hooks.deliveries("?state=delivered")] == [everything[3]["id"]]
    assert len(hooks.deliveries("?state=pending")) == 2 * ROUNDS - 2
    assert len(hooks.deliveries(f"?endpoint={two['id']}&job={jobs[1]}&state=pending")) <= 1
    assert hooks.deliveries(f"?endpoint={NOBODY}") == hooks.deliveries(f"?job={NOBODY}") == []
    failed = hooks.deliveries("?state=failed")[0]
    assert (failed["next_attempt_at"], failed["last_status"], failed["attempts"]) == (None, 503, 3)
    assert failed["ended_at"] is not None


@pytest.mark.parametrize("by_job", [False, True])
def test_deliveries_come_page_by_page(hooks: Hooks, *, by_job: bool) -> None:
    for number in range(5):
        hooks.make(url=f"{URL}/{number}")
    job_id = hooks.canceled_job()
    query = f"job={job_id}&" if by_job else ""
    seen: list[str] = []
    after, has_more = "", True
    while has_more:
        page = hooks.api.get(f"/v1/deliveries?{query}limit=2{after}").json()
        assert len(page["deliveries"]) <= 2
        seen += [each["id"] for each in page["deliveries"]]
        after, has_more = f"&after={page['after']}", page["has_more"]
    assert seen == [each["id"] for each in hooks.deliveries()]
    assert len(seen) == 5
    assert hooks.api.get(f"/v1/deliveries?{query}{after[1:]}").json() == {
        "deliveries": [],
        "after": seen[-1],
        "has_more": False,
    }


@pytest.mark.parametrize("query", ["state=lost", "endpoint=x", "job=x", "after=x", "limit=0", "limit=1001"])
def test_filters_that_make_no_sense_are_refused(hooks: Hooks, query: str) -> None:
    assert_problem(hooks.api.get(f"/v1/deliveries?{query}"), 422, "invalid-request")


def test_a_delivery_of_another_tenant_does_not_exist(hooks: Hooks, others: Hooks) -> None:
    endpoint = hooks.make()
    job_id = hooks.canceled_job()
    path = hooks.deliveries()[0]["links"]["self"]
    assert_problem(others.api.get(path), 404, "not-found")
    assert_problem(others.api.post(f"{path}/redeliver"), 404, "not-found")
    assert others.deliveries(f"?endpoint={endpoint['id']}") == others.deliveries(f"?job={job_id}") == []
    assert_problem(hooks.api.get(f"/v1/deliveries/{uuid.uuid4()}"), 404, "not-found")
    assert_problem(hooks.api.get("/v1/deliveries/nonsense"), 404, "not-found")


def test_a_test_event_is_a_delivery_to_one_webhook_alone(hooks: Hooks) -> None:
    endpoint, other = hooks.make(events=["job.failed"]), hooks.make()
    answer = hooks.api.post(f"/v1/webhooks/{endpoint['id']}/test")
    assert answer.status == 202
    sent = answer.json()
    assert answer.headers["Location"] == sent["links"]["self"]
    assert (sent["event"], sent["job_id"], sent["state"]) == ("webhook.test", None, "pending")
    assert hooks.is_due(sent["id"])
    assert hooks.deliveries() == [sent]
    assert hooks.deliveries(f"?endpoint={other['id']}") == []
    body = json.loads(hooks.api.get(sent["links"]["self"]).json()["body"])
    assert (body["type"], body["data"]) == ("webhook.test", {"endpoint_id": endpoint["id"]})


def test_a_disabled_webhook_is_not_tested(hooks: Hooks) -> None:
    endpoint = hooks.make()
    hooks.call(endpoint["id"], "disable")
    assert_problem(hooks.api.post(f"/v1/webhooks/{endpoint['id']}/test"), 409, "webhook-disabled")
    assert hooks.deliveries() == []
