"""Sending again: one delivery, or everything since a moment."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.states import DeliveryState
from shared.errors import Conflict, DatabaseUnavailable, NotFound
from shared.webhooks import redelivery
from shared.webhooks.redelivery import Redelivery
from tests.integration.conftest import assert_problem
from tests.integration.webhooks.hooks import LONG_AGO, URL, Hooks
from tests.patience import PATIENCE_SECONDS

YEAR_2026 = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("state", list(DeliveryState))
def test_a_delivery_in_any_state_is_due_again(hooks: Hooks, state: DeliveryState) -> None:
    hooks.make()
    hooks.canceled_job()
    (before,) = hooks.deliveries()
    if state == DeliveryState.PENDING:
        hooks.postpone(before["id"])
    else:
        hooks.end(before["id"], state)
    assert not hooks.is_due(before["id"])
    answer = hooks.api.post(before["links"]["redeliver"])
    assert answer.status == 202
    assert answer.headers["Location"] == before["links"]["self"]
    again = answer.json()
    assert (again["state"], again["ended_at"]) == ("pending", None)
    # What was tried stays told, the schedule begins again, and the receiver knows it by its id.
    assert again["attempts"] > 0
    assert again["webhook_id"] == before["webhook_id"]
    assert hooks.sql("SELECT step FROM webhook_deliveries WHERE id = :id", id=before["id"]) == [(0,)]
    assert hooks.is_due(before["id"])


def test_an_attempt_under_way_keeps_its_lease(hooks: Hooks) -> None:
    hooks.make()
    hooks.canceled_job()
    (before,) = hooks.deliveries()
    hooks.write(
        "UPDATE webhook_deliveries SET lease_token = 7, lease_until = now() + interval '1 minute' WHERE id = :id",
        id=before["id"],
    )
    assert hooks.api.post(before["links"]["redeliver"]).status == 202
    lease = "SELECT lease_token, lease_until > now() FROM webhook_deliveries WHERE id = :id"
    assert hooks.sql(lease, id=before["id"]) == [(7, True)]


def test_nothing_is_sent_again_to_a_disabled_webhook(hooks: Hooks) -> None:
    endpoint = hooks.make()
    hooks.canceled_job()
    (before,) = hooks.deliveries()
    hooks.postpone(before["id"])
    hooks.call(endpoint["id"], "disable")
    assert_problem(hooks.api.post(before["links"]["redeliver"]), 409, "webhook-disabled")
    since = hooks.api.post(f"/v1/webhooks/{endpoint['id']}/redeliver", {"since": LONG_AGO})
    assert_problem(since, 409, "webhook-disabled")
    assert not hooks.is_due(before["id"])


def test_what_happened_while_it_was_disabled_is_made_up_for(hooks: Hooks) -> None:
    endpoint = hooks.make(events=["job.canceled"])
    before = hooks.canceled_job()
    hooks.call(endpoint["id"], "disable")
    meanwhile = [hooks.canceled_job() for _ in range(3)]
    hooks.call(endpoint["id"], "enable")
    assert [one["job_id"] for one in hooks.deliveries()] == [before]
    assert hooks.redeliver_since(endpoint["id"]) == 4
    assert {one["job_id"] for one in hooks.deliveries("?state=pending")} == {before, *meanwhile}
    # The same call again makes nothing twice.
    assert hooks.redeliver_since(endpoint["id"]) == 4
    assert len(hooks.deliveries()) == 4


def test_what_arrived_is_sent_again_only_when_asked_for(hooks: Hooks) -> None:
    endpoint, other = hooks.make(), hooks.make(url="https://other.example.org/")
    for _ in range(3):
        hooks.canceled_job()
    arrived, failed, pending = hooks.deliveries(f"?endpoint={endpoint['id']}")
    (others_first, *_) = hooks.deliveries(f"?endpoint={other['id']}")
    hooks.end(arrived["id"], DeliveryState.DELIVERED)
    hooks.end(failed["id"], DeliveryState.FAILED)
    hooks.postpone(pending["id"])
    hooks.end(others_first["id"], DeliveryState.FAILED)
    assert hooks.redeliver_since(endpoint["id"]) == 2
    assert [hooks.is_due(one["id"]) for one in (arrived, failed, pending)] == [False, True, True]
    assert hooks.redeliver_since(endpoint["id"], all=True) == 3
    assert hooks.is_due(arrived["id"])
    assert not hooks.is_due(others_first["id"])


def test_only_events_since_the_moment_count(hooks: Hooks) -> None:
    endpoint = hooks.make()
    old = hooks.canceled_job()
    hooks.write(
        "UPDATE events SET created_at = now() - interval '2 days' WHERE job_id = :job",
        job=old,
    )
    new = hooks.canceled_job()
    for one in hooks.deliveries():
        hooks.end(one["id"], DeliveryState.FAILED)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert hooks.redeliver_since(endpoint["id"], since=yesterday) == 1
    assert [one["job_id"] for one in hooks.deliveries("?state=pending")] == [new]
    assert hooks.redeliver_since(endpoint["id"], since="0001-01-02T00:00:00+14:00") == 2


def test_a_webhook_gets_again_what_it_wants_and_nothing_else(hooks: Hooks) -> None:
    one = hooks.make(events=["job.completed", "job.progress", "webhook.disabled"])
    job_id = hooks.canceled_job()
    hooks.call(one["id"], "test", status=202)
    for kind, data in [
        ("job.completed", "{}"),
        ("job.progress", "{}"),
        ("webhook.disabled", f'{{"endpoint_id": "{one["id"]}"}}'),
        ("webhook.disabled", f'{{"endpoint_id": "{uuid.uuid4()}"}}'),
    ]:
        hooks.write(
            "INSERT INTO events (id, tenant_id, job_id, type, data) "
            "VALUES (gen_random_uuid(), :tenant, :job, :kind, CAST(:data AS jsonb))",
            tenant=hooks.tenant_id,
            job=job_id if kind.startswith("job.") else None,
            kind=kind,
            data=data,
        )
    for delivery in hooks.deliveries():
        hooks.end(delivery["id"], DeliveryState.FAILED)
    assert hooks.redeliver_since(one["id"], all=True) == 2
    sent = hooks.sql(
        "SELECT e.type, e.data->>'endpoint_id' = CAST(:me AS text) FROM webhook_deliveries d "
        "JOIN events e ON e.id = d.event_id WHERE d.state = 'pending' AND d.endpoint_id = :id ORDER BY 1",
        id=one["id"],
        me=one["id"],
    )
    assert [tuple(row) for row in sent] == [("job.completed", None), ("webhook.disabled", False)]


def test_the_url_of_a_job_gets_again_what_is_about_its_jobs(hooks: Hooks) -> None:
    hooks.job_secret()
    mine = hooks.canceled_job(webhook_url=URL)
    hooks.canceled_job()
    (delivery,) = hooks.deliveries()
    hooks.end(delivery["id"], DeliveryState.FAILED)
    assert hooks.redeliver_since(delivery["endpoint_id"]) == 1
    assert [one["job_id"] for one in hooks.deliveries()] == [mine]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": None},
        {"since": "2026-01-01T00:00:00"},
        {"since": "yesterday"},
        {"since": 1780300862},
        {"since": "9999-01-01T00:00:00Z"},
        {"since": LONG_AGO, "all": "yes"},
        {"since": LONG_AGO, "all": None},
        {"since": LONG_AGO, "everything": True},
        {"since": LONG_AGO, "until": LONG_AGO},
    ],
)
def test_a_moment_that_makes_no_sense_is_refused(hooks: Hooks, body: object) -> None:
    endpoint = hooks.make()
    assert_problem(hooks.api.post(f"/v1/webhooks/{endpoint['id']}/redeliver", body), 422, "invalid-request")


def test_many_events_go_in_batches_and_each_is_sent_once(hooks: Hooks) -> None:
    endpoint = hooks.make()
    # Many of one moment: the cursor must not lose those that share it.
    hooks.write(
        "INSERT INTO events (id, tenant_id, type, data, created_at) SELECT gen_random_uuid(), :tenant, 'job.failed', "
        "'{}', now() - (n / 40) * interval '1 minute' FROM generate_series(1, 250) n",
        tenant=hooks.tenant_id,
    )
    again = Redelivery(hooks.tenant_id, uuid.UUID(endpoint["id"]), YEAR_2026)
    assert redelivery.redeliver_since(hooks.database, again, batch=7) == 250
    assert redelivery.redeliver_since(hooks.database, again, batch=250) == 250
    count = "SELECT count(*), count(DISTINCT event_id) FROM webhook_deliveries WHERE endpoint_id = :id"
    assert hooks.sql(count, id=endpoint["id"]) == [(250, 250)]


def test_an_event_that_is_being_removed_is_passed_over(hooks: Hooks) -> None:
    endpoint = hooks.make()
    going, staying = hooks.canceled_job(), hooks.canceled_job()
    again = Redelivery(hooks.tenant_id, uuid.UUID(endpoint["id"]), YEAR_2026)
    with hooks.database.begin() as session:
        session.connection().exec_driver_sql("SELECT 1 FROM events WHERE job_id = %s FOR UPDATE", (going,))
        assert redelivery.redeliver_since(hooks.database, again) == 1
    for one in hooks.deliveries():
        hooks.end(one["id"], DeliveryState.FAILED)
    assert hooks.redeliver_since(endpoint["id"]) == 2
    assert {one["job_id"] for one in hooks.deliveries("?state=pending")} == {going, staying}


def test_redeliveries_enabling_and_removal_at_once_never_lock_each_other_out(hooks: Hooks) -> None:
    endpoint = hooks.make()
    for _ in range(20):
        hooks.canceled_job()
    endpoint_id = uuid.UUID(endpoint["id"])
    again = Redelivery(hooks.tenant_id, endpoint_id, YEAR_2026, everything=True)
    delivery = hooks.deliveries()[0]

    def work(number: int) -> int:
        if number % 3 == 0:
            return int(redelivery.redeliver_since(hooks.database, again, batch=6) != 20)
        path = delivery["links"]["redeliver"] if number % 3 == 1 else f"/v1/webhooks/{endpoint['id']}/enable"
        return hooks.api.post(path).status

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(work, range(24))) == {0, 202, 200}

    def until_it_is_gone(_: int) -> str:
        try:
            while True:
                redelivery.redeliver_since(hooks.database, again, batch=6)
        except (NotFound, Conflict, DatabaseUnavailable) as error:
            return type(error).__name__

    with ThreadPoolExecutor(3) as pool:
        working = [pool.submit(until_it_is_gone, number) for number in range(3)]
        assert hooks.api.request("DELETE", endpoint["links"]["self"]).status == 204
        assert [each.result(PATIENCE_SECONDS) for each in working] == ["NotFound"] * 3
    assert hooks.deliveries() == []
