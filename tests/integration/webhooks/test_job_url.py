"""The ``webhook_url`` of a job."""

import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import pytest
import urllib3

from shared.contracts.job_request import JobRequest
from shared.contracts.states import DEFAULT_EVENTS
from shared.jobs import lifecycle
from shared.webhooks import per_job
from tests.integration.conftest import Api, assert_problem
from tests.integration.webhooks.hooks import URL, Hooks
from tests.patience import PATIENCE_SECONDS

OTHER_URL = "https://other.example.org/hooks"
PICTURE = ("a.jpg", b"no picture, but bytes")


def upload(api: Api, *fields: tuple[str, str]) -> urllib3.BaseHTTPResponse:
    return api.request("POST", "/v1/jobs/upload", fields=[*fields, ("files", PICTURE)])


def endpoint_of(hooks: Hooks, job_id: str) -> str | None:
    ((endpoint_id,),) = hooks.sql("SELECT webhook_endpoint_id FROM jobs WHERE id = :id", id=job_id)
    return None if endpoint_id is None else str(endpoint_id)


def test_without_a_job_secret_there_is_no_webhook_url(hooks: Hooks) -> None:
    key = {"Idempotency-Key": "one"}
    refused = assert_problem(hooks.api.post("/v1/jobs", {"webhook_url": URL}, headers=key), 409, "job-secret-missing")
    assert "job-secret" in refused["detail"]
    assert_problem(upload(hooks.api, ("webhook_url", URL)), 409, "job-secret-missing")
    assert hooks.api.get("/v1/jobs").json()["jobs"] == []
    hooks.job_secret()
    assert hooks.api.post("/v1/jobs", {"webhook_url": URL}, headers=key).status == 201


def test_a_webhook_url_is_told_of_its_job_alone(hooks: Hooks) -> None:
    hooks.job_secret()
    mine, other = hooks.canceled_job(webhook_url=URL), hooks.canceled_job(webhook_url=OTHER_URL)
    hooks.canceled_job()
    assert {(one["job_id"], one["url"], one["event"]) for one in hooks.deliveries()} == {
        (mine, URL, "job.canceled"),
        (other, OTHER_URL, "job.canceled"),
    }


def test_every_answer_about_the_job_names_its_webhook_url(hooks: Hooks) -> None:
    hooks.job_secret()
    made = hooks.api.post("/v1/jobs", {"webhook_url": URL}, headers={"Idempotency-Key": "one"})
    path = made.json()["links"]["self"]
    assert made.json()["webhook_url"] == URL
    again = hooks.api.post("/v1/jobs", {"webhook_url": URL}, headers={"Idempotency-Key": "one"})
    assert again.json() == made.json()
    hooks.api.add(made.json()["id"], "a.jpg")
    assert hooks.api.get(path).json()["webhook_url"] == URL
    assert hooks.api.post(f"{path}/commit").json()["webhook_url"] == URL
    assert hooks.api.get("/v1/jobs").json()["jobs"][0]["webhook_url"] == URL
    assert hooks.api.post(f"{path}/cancel").json()["webhook_url"] == URL
    assert hooks.api.get(f"/v1/jobs/{hooks.api.new_job()}").json()["webhook_url"] is None


def test_an_upload_can_name_a_webhook_url(hooks: Hooks) -> None:
    hooks.job_secret()
    assert_problem(upload(hooks.api, ("webhook_url", "http://127.0.0.1/")), 422, "webhook-url-refused")
    assert_problem(upload(hooks.api, ("webhook_url", "")), 422, "invalid-request")
    assert hooks.api.get("/v1/jobs").json()["jobs"] == []
    job = upload(hooks.api, ("webhook_url", URL))
    assert job.status == 202, job.data
    assert job.json()["webhook_url"] == URL
    assert endpoint_of(hooks, job.json()["id"]) is not None
    without = upload(hooks.api, ("name", "x")).json()
    assert without["webhook_url"] is None


@pytest.mark.parametrize("url", [5, "", "x" * 2001, [URL]])
def test_a_webhook_url_that_is_no_text_is_refused(hooks: Hooks, url: object) -> None:
    assert_problem(hooks.api.post("/v1/jobs", {"webhook_url": url}), 422, "invalid-request")


def test_jobs_with_one_url_share_an_endpoint_that_is_not_listed(hooks: Hooks, others: Hooks) -> None:
    hooks.job_secret()
    others.job_secret()
    first, second = (endpoint_of(hooks, hooks.api.new_job(webhook_url=URL)) for _ in range(2))
    assert first == second
    assert first != endpoint_of(others, others.api.new_job(webhook_url=URL))
    assert hooks.api.get("/v1/webhooks").json()["webhooks"] == []
    assert first is not None
    endpoint = hooks.get(first)
    assert (endpoint["per_job"], endpoint["url"], endpoint["events"]) == (True, URL, list(DEFAULT_EVENTS))
    assert_problem(others.api.get(f"/v1/webhooks/{first}"), 404, "not-found")


def test_the_endpoint_of_a_webhook_url_is_not_changed_by_itself(hooks: Hooks) -> None:
    hooks.job_secret()
    endpoint_id = endpoint_of(hooks, hooks.api.new_job(webhook_url=URL))
    path = f"/v1/webhooks/{endpoint_id}"
    assert_problem(hooks.api.request("PATCH", path, json={"url": OTHER_URL}), 409, "webhook-per-job")
    assert_problem(hooks.api.post(f"{path}/rotate"), 409, "webhook-per-job")
    assert hooks.api.post(f"{path}/test").status == 202
    assert hooks.api.get(path).json()["url"] == URL


def test_rotating_the_job_secret_shows_on_the_endpoints_of_jobs(hooks: Hooks) -> None:
    hooks.job_secret()
    endpoint_id = str(endpoint_of(hooks, hooks.api.new_job(webhook_url=URL)))
    assert hooks.get(endpoint_id)["previous_secret_until"] is None
    hooks.job_secret()
    assert hooks.get(endpoint_id)["previous_secret_until"] is not None


def test_a_new_job_enables_its_webhook_url_again(hooks: Hooks) -> None:
    hooks.job_secret()
    job_id = hooks.canceled_job(webhook_url=URL)
    endpoint_id = str(endpoint_of(hooks, job_id))
    (delivery,) = hooks.deliveries()
    hooks.postpone(delivery["id"])
    hooks.write(
        "UPDATE webhook_endpoints SET enabled = false, disabled_reason = 'gone', disabled_at = now(), "
        "consecutive_failures = 8, failing_since = now(), open_until = now() + interval '1 h' WHERE id = :id",
        id=endpoint_id,
    )
    assert endpoint_of(hooks, hooks.api.new_job(webhook_url=URL)) == endpoint_id
    endpoint = hooks.get(endpoint_id)
    assert (endpoint["enabled"], endpoint["consecutive_failures"], endpoint["paused_until"]) == (True, 0, None)
    assert hooks.is_due(delivery["id"])


def test_a_failing_webhook_url_keeps_its_failures_when_a_job_names_it(hooks: Hooks) -> None:
    hooks.job_secret()
    endpoint_id = str(endpoint_of(hooks, hooks.api.new_job(webhook_url=URL)))
    hooks.write("UPDATE webhook_endpoints SET consecutive_failures = 8 WHERE id = :id", id=endpoint_id)
    hooks.api.new_job(webhook_url=URL)
    assert hooks.get(endpoint_id)["consecutive_failures"] == 8


def test_deleting_the_endpoint_leaves_its_jobs_without_a_url(hooks: Hooks) -> None:
    hooks.job_secret()
    job_id = hooks.canceled_job(webhook_url=URL)
    before = hooks.api.get(f"/v1/jobs/{job_id}")
    assert hooks.api.request("DELETE", f"/v1/webhooks/{endpoint_of(hooks, job_id)}").status == 204
    after = hooks.api.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert after.json()["webhook_url"] is None
    assert hooks.deliveries() == []
    # The job secret stays.
    assert hooks.api.new_job(webhook_url=URL)


def test_many_jobs_at_once_make_one_endpoint(hooks: Hooks) -> None:
    hooks.job_secret()
    barrier = Barrier(8)

    def create(_: int) -> str | None:
        barrier.wait(PATIENCE_SECONDS)
        return endpoint_of(hooks, hooks.api.new_job(webhook_url=URL))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(8)))) == 1
    assert hooks.sql("SELECT count(*) FROM webhook_endpoints WHERE tenant_id = :t", t=hooks.tenant_id) == [(1,)]


def test_deleting_the_endpoint_while_its_job_changes_waits_and_never_locks_out(hooks: Hooks) -> None:
    hooks.job_secret()
    job_id = hooks.api.new_job(webhook_url=URL)
    path = f"/v1/webhooks/{endpoint_of(hooks, job_id)}"
    with ThreadPoolExecutor(1) as pool:
        with hooks.database.begin() as session:
            lifecycle.lock_job(session, uuid.UUID(job_id))
            removed: Future[urllib3.BaseHTTPResponse] = pool.submit(hooks.api.request, "DELETE", path)
            _wait_until_somebody_waits(hooks)
            # Inserts a delivery, which refers to the endpoint that is being removed.
            lifecycle.cancel(session, uuid.UUID(job_id))
        assert removed.result(PATIENCE_SECONDS).status == 204
    assert hooks.api.get(f"/v1/jobs/{job_id}").json()["state"] == "canceled"
    assert hooks.deliveries() == []


def test_deleting_the_endpoint_waits_for_the_job_that_is_being_made_with_it(hooks: Hooks) -> None:
    hooks.job_secret()
    hooks.api.new_job(webhook_url=URL)
    with ThreadPoolExecutor(1) as pool:
        with hooks.database.begin() as session:
            endpoint_id = per_job.endpoint_for(session, hooks.tenant_id, URL)
            removed = pool.submit(hooks.api.request, "DELETE", f"/v1/webhooks/{endpoint_id}")
            _wait_until_somebody_waits(hooks)
            job_id = lifecycle.create_draft(
                session, hooks.tenant_id, JobRequest(), draft_hours=1, webhook_endpoint_id=endpoint_id
            ).id
        assert removed.result(PATIENCE_SECONDS).status == 204
    assert hooks.api.get(f"/v1/jobs/{job_id}").json()["webhook_url"] is None


def _wait_until_somebody_waits(hooks: Hooks) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(2000):
        if hooks.sql(waiting) != [(0,)]:
            return
    pytest.fail("nobody waits for the lock of the job")


def test_creating_jobs_and_deleting_their_endpoint_at_once_loses_neither(hooks: Hooks) -> None:
    hooks.job_secret()

    def create(_: int) -> int:
        return hooks.api.post("/v1/jobs", {"webhook_url": URL}).status

    def delete(_: int) -> int:
        found = hooks.sql("SELECT id FROM webhook_endpoints WHERE tenant_id = :t", t=hooks.tenant_id)
        return hooks.api.request("DELETE", f"/v1/webhooks/{found[0][0]}").status if found else 204

    with ThreadPoolExecutor(4) as pool:
        creating = [pool.submit(create, number) for number in range(30)]
        deleting = [pool.submit(delete, number) for number in range(15)]
        assert {each.result(PATIENCE_SECONDS) for each in creating} == {201}
        assert {each.result(PATIENCE_SECONDS) for each in deleting} <= {204, 404}
