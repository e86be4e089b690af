"""The deliverer as a process: killed at the worst moment, and at work behind the whole service."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from deploy.local.ports import free_port
from shared.webhooks.signing import new_secret
from tests.acceptance.system import System
from tests.integration.metrics.scrape import Scrape, scrape
from tests.integration.webhooks.receiver import Answer, Receiver
from tests.patience import PATIENCE_SECONDS, wait_for

ALL_EVENTS = [
    "job.validated",
    "job.started",
    "job.completed",
    "job.completed_with_errors",
    "job.failed",
    "job.canceled",
]
UNDER_WAY = "phytobatch_webhook_under_way"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def add_endpoint(system: System, url: str) -> str:
    """An endpoint of the tenant that the key belongs to; returns its secret."""
    secret = new_secret()
    with system.sql() as sql:
        sql.execute(
            """
            WITH tenant AS (SELECT id FROM tenants WHERE name = 'default'),
            secret AS (INSERT INTO signing_secrets (id, tenant_id, secret)
                       SELECT gen_random_uuid(), id, %(secret)s FROM tenant RETURNING id)
            INSERT INTO webhook_endpoints (id, tenant_id, secret_id, url, events)
            SELECT gen_random_uuid(), tenant.id, secret.id, %(url)s, %(events)s FROM tenant, secret
            """,
            {"secret": secret, "url": url, "events": ALL_EVENTS},
        )
    return secret


def remove_endpoints(system: System) -> None:
    with system.sql() as sql:
        sql.execute("DELETE FROM webhook_endpoints")


@pytest.fixture
def delivery_free(quiet: System) -> Iterator[System]:
    """The system with no endpoint, before and after."""
    yield quiet
    remove_endpoints(quiet)


def cancel_a_draft(system: System) -> str:
    """The shortest way to an event: ``job.canceled``. Returns the id of the job."""
    with system.client() as api:
        job = api.create_job(name="canceled")
        api.cancel(job.id)
        return job.id


def states(system: System) -> list[tuple[str, int]]:
    with system.sql() as sql:
        return [(state, attempts) for state, attempts in sql.execute("SELECT state, attempts FROM webhook_deliveries")]


def test_a_kill_between_the_post_and_the_record_means_twice_and_never_not_at_all(
    delivery_free: System, receiver: Receiver
) -> None:
    add_endpoint(delivery_free, receiver.url)
    receiver.answer = Answer(hang=True)
    doomed = delivery_free.start_deliverer(PHYTOBATCH_WEBHOOK_TIMEOUT_SECONDS="2")
    job_id = cancel_a_draft(delivery_free)
    receiver.wait_for(1)
    doomed.send(signal.SIGKILL)
    doomed.wait(PATIENCE_SECONDS)
    assert states(delivery_free) == [("pending", 0)]
    receiver.answer = Answer()
    delivery_free.start_deliverer(PHYTOBATCH_WEBHOOK_TIMEOUT_SECONDS="2")
    first, second = receiver.wait_for(2)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert json.loads(second.body)["data"]["job_id"] == job_id
    assert wait_for(lambda: states(delivery_free), lambda seen: seen == [("delivered", 1)])


def test_what_happens_while_no_deliverer_runs_comes_when_one_does(delivery_free: System, receiver: Receiver) -> None:
    add_endpoint(delivery_free, receiver.url)
    jobs = {cancel_a_draft(delivery_free) for _ in range(3)}
    delivery_free.start_deliverer()
    requests = receiver.wait_for(3)
    assert {json.loads(request.body)["data"]["job_id"] for request in requests} == jobs


def test_told_to_stop_it_finishes_what_is_under_way_and_ends_well(delivery_free: System, receiver: Receiver) -> None:
    add_endpoint(delivery_free, receiver.url)
    receiver.answer = Answer(delay=1.0)
    deliverer = delivery_free.start_deliverer()
    cancel_a_draft(delivery_free)
    receiver.wait_for(1)
    deliverer.send(signal.SIGTERM)
    assert deliverer.wait(PATIENCE_SECONDS) == 0
    assert states(delivery_free) == [("delivered", 1)]


def delivered(seen: Scrape) -> float:
    return seen.total("phytobatch_webhook_attempts_total", result="delivered")


def is_idle_after_three(seen: Scrape) -> bool:
    """Return True if three attempts are counted and none is in flight: an attempt is counted before it ends."""
    return delivered(seen) >= 3 and seen.value(UNDER_WAY) == 0


def test_a_job_that_runs_tells_its_story_in_verified_webhooks(
    delivery_free: System, receiver: Receiver, leaf_files: list[Path]
) -> None:
    secret = add_endpoint(delivery_free, receiver.url)
    metrics_port = free_port()
    delivery_free.start_deliverer(PHYTOBATCH_METRICS_PORT=str(metrics_port))
    delivery_free.start_worker()
    job_id = delivery_free.submit(leaf_files[:20])
    job = delivery_free.wait_for_end(job_id)
    assert job.state == "completed"
    requests = receiver.wait_for(3)
    told = sorted(
        (Webhook(secret).verify(request.body, request.headers) for request in requests),
        key=lambda event: event["data"]["revision"],
    )
    assert [event["type"] for event in told] == ["job.validated", "job.started", "job.completed"]
    last = told[-1]["data"]
    assert (last["job_id"], last["state"], last["counts"]["succeeded"]) == (job_id, "completed", 20)
    assert last["links"]["job"] == f"{delivery_free.url}/v1/jobs/{job_id}"
    revisions = [event["data"]["revision"] for event in told]
    assert revisions == sorted(set(revisions))
    # The third is counted when it is recorded, a moment after the receiver has it.
    counted = wait_for(lambda: scrape(metrics_port), is_idle_after_three)
    assert delivered(counted) == 3
    assert counted.value("phytobatch_webhook_attempt_seconds_count") == 3
