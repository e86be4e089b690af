"""Claims and records, without a network: who gets what, how much at a time, and what becomes of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.contracts.job_request import JobRequest
from shared.contracts.states import AttemptError, DeliveryState, DisabledReason, EventType
from shared.db.models import Event
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs.sweep import CrashPolicy, sweep
from shared.settings import Settings
from shared.webhooks.deliveries import Claim, Terms
from shared.webhooks.deliveries import claim as claim_in
from shared.webhooks.recording import Outcome
from tests.integration.conftest import MakeSettings
from tests.integration.webhooks.factory import MovableClock, Outbox
from worker.webhooks.ledger import LEASE_SLACK_SECONDS, Ledger

URL = "https://farm.example.org/hooks"
MANY = 1000


@pytest.fixture
def own_settings(make_settings: MakeSettings) -> Settings:
    return make_settings(webhook_schedule="0,100,1000", webhook_in_flight_per_endpoint=3, webhook_timeout_seconds=5)


@pytest.fixture
def database(fresh_database: Database) -> Database:
    """A claim takes whatever is due, so each test has a database of its own."""
    return fresh_database


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox.of(database)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def ledger(own_settings: Settings, database: Database, clock: MovableClock) -> Ledger:
    return Ledger(own_settings, database, clock)


def succeeded(claim: Claim) -> Outcome:
    return Outcome(claim, delivered=True, milliseconds=12, status=204, response="")


def failed(claim: Claim, status: int = 500, retry_after: float | None = None) -> Outcome:
    return Outcome(claim, delivered=False, milliseconds=34, status=status, retry_after=retry_after, response="no")


def only(claims: list[Claim]) -> Claim:
    assert len(claims) == 1
    return claims[0]


def test_a_claim_brings_all_that_is_needed_and_nobody_gets_it_twice(outbox: Outbox, ledger: Ledger) -> None:
    endpoint = outbox.endpoint(URL)
    event = outbox.event(endpoint, number=7)
    claim = only(ledger.claim(MANY))
    assert (claim.endpoint_id, claim.event_id, claim.url) == (endpoint, event, URL)
    assert (claim.event_type, claim.data["number"]) == (EventType.JOB_COMPLETED, 7)
    assert claim.secrets == (outbox.secret(endpoint),)
    assert not claim.probe
    assert ledger.claim(MANY) == []


def test_during_a_rotation_both_secrets_come_and_after_it_the_new_one(
    outbox: Outbox, ledger: Ledger, clock: MovableClock
) -> None:
    endpoint = outbox.endpoint(URL)
    old = outbox.secret(endpoint)
    new = outbox.rotate(endpoint, hours=24)
    outbox.event(endpoint)
    assert only(ledger.claim(MANY)).secrets == (new, old)
    clock.move(hours=24)
    outbox.event(endpoint)
    assert {claim.secrets for claim in ledger.claim(MANY)} == {(new,)}


def test_a_success_is_written_down(outbox: Outbox, ledger: Ledger) -> None:
    endpoint = outbox.endpoint(URL, consecutive_failures=3)
    event = outbox.event(endpoint)
    claim = only(ledger.claim(MANY))
    ledger.record([succeeded(claim)])
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.attempts, delivery.last_status) == (DeliveryState.DELIVERED, 1, 204)
    assert delivery.ended_at is not None
    assert (delivery.lease_token, delivery.lease_until) == (None, None)
    (attempt,) = outbox.attempts(event)
    assert (attempt.status, attempt.error, attempt.milliseconds, attempt.response) == (204, None, 12, "")
    assert attempt.started_at == claim.claimed_at
    seen = outbox.endpoint_row(endpoint)
    assert (seen.consecutive_failures, seen.failing_since, seen.open_until) == (0, None, None)
    assert seen.last_success_at == delivery.ended_at
    assert ledger.claim(MANY) == []


def test_a_failure_waits_for_its_next_attempt(outbox: Outbox, ledger: Ledger, clock: MovableClock) -> None:
    event = outbox.event(outbox.endpoint(URL))
    claim = only(ledger.claim(MANY))
    ledger.record([Outcome(claim, delivered=False, milliseconds=5000, error=AttemptError.TIMEOUT)])
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.step, delivery.attempts) == (DeliveryState.PENDING, 1, 1)
    assert (delivery.last_status, delivery.last_error) == (None, AttemptError.TIMEOUT)
    assert 100 <= (delivery.next_attempt_at - claim.claimed_at).total_seconds() <= 115
    clock.move(seconds=90)
    assert ledger.claim(MANY) == []
    clock.move(seconds=25)
    assert only(ledger.claim(MANY)).event_id == event


def test_an_attempt_that_was_never_recorded_uses_up_nothing(
    outbox: Outbox, ledger: Ledger, clock: MovableClock
) -> None:
    event = outbox.event(outbox.endpoint(URL))
    lost = only(ledger.claim(MANY))
    clock.move(seconds=5 + LEASE_SLACK_SECONDS)
    again = only(ledger.claim(MANY))
    assert (again.delivery_id, again.event_id) == (lost.delivery_id, event)
    assert again.token != lost.token
    assert outbox.delivery(event).attempts == 0


def test_who_lost_the_lease_records_nothing(outbox: Outbox, ledger: Ledger, clock: MovableClock) -> None:
    endpoint = outbox.endpoint(URL)
    event = outbox.event(endpoint)
    lost = only(ledger.claim(MANY))
    clock.move(minutes=1)
    again = only(ledger.claim(MANY))
    ledger.record([failed(lost)])
    assert outbox.attempts(event) == []
    assert outbox.endpoint_row(endpoint).consecutive_failures == 0
    ledger.record([succeeded(again)])
    ledger.record([succeeded(again)])
    assert len(outbox.attempts(event)) == 1
    assert outbox.delivery(event).state == DeliveryState.DELIVERED


def test_a_lease_that_ran_out_and_was_taken_by_nobody_still_records(
    outbox: Outbox, ledger: Ledger, clock: MovableClock
) -> None:
    event = outbox.event(outbox.endpoint(URL))
    late = only(ledger.claim(MANY))
    clock.move(minutes=10)
    ledger.record([succeeded(late)])
    assert outbox.delivery(event).state == DeliveryState.DELIVERED


def test_what_is_handed_back_is_due_at_once(outbox: Outbox, ledger: Ledger) -> None:
    event = outbox.event(outbox.endpoint(URL))
    ledger.release(ledger.claim(MANY))
    assert only(ledger.claim(MANY)).event_id == event


def test_an_endpoint_gets_no_more_than_its_limit_at_a_time(outbox: Outbox, ledger: Ledger) -> None:
    endpoint = outbox.endpoint(URL)
    for number in range(5):
        outbox.event(endpoint, number=number)
    first = ledger.claim(MANY)
    assert [claim.data["number"] for claim in first] == [0, 1, 2]
    assert ledger.claim(MANY) == []
    ledger.record([succeeded(first[0])])
    assert only(ledger.claim(MANY)).data["number"] == 3


def test_few_slots_are_shared_out_over_the_endpoints(outbox: Outbox, ledger: Ledger) -> None:
    endpoints = [outbox.endpoint(f"{URL}/{number}") for number in range(4)]
    for endpoint in endpoints:
        for _ in range(10):
            outbox.event(endpoint)
    assert {claim.endpoint_id for claim in ledger.claim(4)} == set(endpoints)
    assert {claim.endpoint_id for claim in ledger.claim(4)} == set(endpoints)


def test_claims_at_the_same_moment_keep_to_the_limit_together(outbox: Outbox, ledger: Ledger) -> None:
    endpoints = [outbox.endpoint(f"{URL}/{number}") for number in range(5)]
    for endpoint in endpoints:
        for _ in range(8):
            outbox.event(endpoint)
    claimed: list[Claim] = []
    with ThreadPoolExecutor(4) as pool:
        for claims in pool.map(lambda _: ledger.claim(MANY), range(20)):
            claimed += claims
    assert len({claim.delivery_id for claim in claimed}) == len(claimed)
    per_endpoint = [sum(claim.endpoint_id == endpoint for claim in claimed) for endpoint in endpoints]
    assert per_endpoint == [3] * 5


def test_a_claim_that_is_not_committed_yet_counts_and_nobody_waits_for_it(outbox: Outbox, ledger: Ledger) -> None:
    busy, other = outbox.endpoint(URL), outbox.endpoint(f"{URL}/other")
    for _ in range(8):
        outbox.event(busy)
    terms = Terms(lease=timedelta(seconds=30), per_endpoint=3, breaker_failures=5)
    with outbox.database.begin() as session:
        assert len(claim_in(session, MovableClock(), terms, slots=MANY)) == 3
        event = outbox.event(other)
        assert only(ledger.claim(MANY)).event_id == event
    assert ledger.claim(MANY) == []


def test_a_disabled_endpoint_gets_nothing_and_its_deliveries_wait(outbox: Outbox, ledger: Ledger) -> None:
    endpoint = outbox.endpoint(URL)
    event = outbox.event(endpoint)
    outbox.change(endpoint, enabled=False, disabled_reason=DisabledReason.BY_REQUEST)
    assert ledger.claim(MANY) == []
    assert outbox.delivery(event).state == DeliveryState.PENDING
    outbox.change(endpoint, enabled=True, disabled_reason=None)
    assert only(ledger.claim(MANY)).event_id == event


def test_the_breaker_opens_probes_with_one_and_closes(outbox: Outbox, ledger: Ledger, clock: MovableClock) -> None:
    endpoint = outbox.endpoint(URL)
    for number in range(8):
        outbox.event(endpoint, number=number)
    ledger.record([failed(claim) for claim in ledger.claim(MANY)])
    ledger.record([failed(claim) for claim in ledger.claim(MANY)])
    seen = outbox.endpoint_row(endpoint)
    assert seen.consecutive_failures == 5
    assert seen.open_until is not None
    assert ledger.claim(MANY) == []
    waiting = [each for each in outbox.deliveries(endpoint) if each.attempts == 0]
    assert len(waiting) == 2
    clock.move(seconds=31)
    probe = only(ledger.claim(MANY))
    assert probe.probe
    assert ledger.claim(MANY) == []
    ledger.record([failed(probe)])
    clock.move(seconds=31)
    assert ledger.claim(MANY) == []
    clock.move(seconds=31)
    ledger.record([succeeded(only(ledger.claim(MANY)))])
    seen = outbox.endpoint_row(endpoint)
    assert (seen.consecutive_failures, seen.failing_since, seen.open_until) == (0, None, None)
    clock.move(hours=1)
    assert len(ledger.claim(MANY)) == 3


def test_an_overloaded_receiver_gets_nothing_else_for_a_while(
    outbox: Outbox, ledger: Ledger, clock: MovableClock
) -> None:
    endpoint = outbox.endpoint(URL)
    outbox.event(endpoint)
    ledger.record([failed(only(ledger.claim(MANY)), status=429, retry_after=60)])
    other = outbox.event(endpoint)
    assert ledger.claim(MANY) == []
    clock.move(seconds=61)
    assert only(ledger.claim(MANY)).event_id == other


def test_gone_disables_and_the_others_are_told(outbox: Outbox, ledger: Ledger) -> None:
    gone = outbox.endpoint(URL)
    other = outbox.endpoint(f"{URL}/other")
    deaf = outbox.endpoint(f"{URL}/deaf", events=[EventType.JOB_COMPLETED])
    stranger = Outbox.of(outbox.database).endpoint(URL)
    events = [outbox.event(gone), outbox.event(gone)]
    claims = ledger.claim(MANY)
    ledger.record([failed(claim, status=410) for claim in claims])
    seen = outbox.endpoint_row(gone)
    assert (seen.enabled, seen.disabled_reason) == (False, DisabledReason.GONE)
    assert [outbox.delivery(event).state for event in events] == [DeliveryState.PENDING] * 2
    told = only(ledger.claim(MANY))
    assert told.endpoint_id == other
    assert told.event_type == EventType.WEBHOOK_DISABLED
    assert told.data["endpoint_id"] == str(gone)
    assert (told.data["url"], told.data["reason"]) == (URL, "gone")
    assert seen.disabled_at is not None
    assert told.data["disabled_at"] == seen.disabled_at.isoformat().replace("+00:00", "Z")
    assert outbox.deliveries(deaf) == []
    assert outbox.deliveries(stranger) == []


def test_five_days_of_failures_disable_and_a_success_in_between_does_not(
    outbox: Outbox, ledger: Ledger, clock: MovableClock
) -> None:
    hopeless, sometimes = outbox.endpoint(URL), outbox.endpoint(f"{URL}/sometimes")
    other = outbox.endpoint(f"{URL}/other", events=[EventType.WEBHOOK_DISABLED])
    for day in range(6):
        for endpoint in (hopeless, sometimes):
            outbox.event(endpoint, number=day)
        claims = [claim for claim in ledger.claim(MANY) if claim.data.get("number") == day]
        assert len(claims) == 2
        ledger.record(
            [succeeded(claim) if claim.endpoint_id == sometimes and day == 3 else failed(claim) for claim in claims]
        )
        assert outbox.endpoint_row(hopeless).enabled == (day < 5)
        clock.move(days=1)
    assert outbox.endpoint_row(hopeless).disabled_reason == DisabledReason.FAILING
    assert outbox.endpoint_row(sometimes).enabled
    assert [each.event_type for each in outbox.deliveries(other)] == [EventType.WEBHOOK_DISABLED]


@pytest.mark.parametrize("event_type", [EventType.JOB_PROGRESS, EventType.WEBHOOK_TEST])
def test_progress_and_tests_are_tried_once(outbox: Outbox, ledger: Ledger, event_type: EventType) -> None:
    event = outbox.event(outbox.endpoint(URL), type_=event_type)
    ledger.record([failed(only(ledger.claim(MANY)))])
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 1)
    assert delivery.ended_at is not None


def test_a_delivery_that_was_redelivered_meanwhile_begins_its_schedule_again(
    outbox: Outbox, ledger: Ledger, clock: MovableClock
) -> None:
    event = outbox.event(outbox.endpoint(URL))
    for _ in range(3):
        ledger.record([failed(only(ledger.claim(MANY)))])
        clock.move(seconds=1200)
    assert outbox.delivery(event).state == DeliveryState.FAILED
    with outbox.database.begin() as session:
        session.execute(text("UPDATE webhook_deliveries SET state = 'pending', step = 0, next_attempt_at = now()"))
    ledger.record([failed(only(ledger.claim(MANY)))])
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.step, delivery.attempts) == (DeliveryState.PENDING, 1, 4)


def test_records_claims_and_new_events_at_the_same_time_never_wait_for_each_other(
    outbox: Outbox, ledger: Ledger
) -> None:
    """Deadlocks would be seen as DatabaseUnavailable, which ``begin`` makes of them."""
    endpoints = [outbox.endpoint(f"{URL}/{number}") for number in range(6)]

    def work(number: int) -> int:
        for round_ in range(15):
            outbox.event(*endpoints[:: 1 if round_ % 2 else -1], number=number)
            claims = ledger.claim(10)
            ledger.record([succeeded(claim) for claim in (claims if number % 2 else reversed(claims))])
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [0, 1, 2, 3]
    while claims := ledger.claim(MANY):
        ledger.record([succeeded(claim) for claim in claims])
    for endpoint in endpoints:
        assert {each.state for each in outbox.deliveries(endpoint)} == {DeliveryState.DELIVERED}
        assert {each.attempts for each in outbox.deliveries(endpoint)} == {1}


def test_a_job_that_is_removed_takes_its_deliveries_along_also_from_under_a_claim(
    outbox: Outbox, ledger: Ledger, database: Database
) -> None:
    endpoint = outbox.endpoint(URL)
    with database.begin() as session:
        job = lifecycle.create_draft(session, outbox.tenant_id, JobRequest(), draft_hours=1)
        lifecycle.cancel(session, job.id)
    claim = only(ledger.claim(MANY))
    with database.begin() as session:
        session.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": job.id})
    ledger.record([failed(claim)])
    assert outbox.deliveries(endpoint) == []
    assert outbox.endpoint_row(endpoint).consecutive_failures == 0


def test_the_sweep_forgets_endpoints_of_jobs_that_are_gone(outbox: Outbox, database: Database) -> None:
    old: dict[str, Any] = {"per_job": True, "created_at": text("now() - interval '2 hours'")}
    unused, used = outbox.endpoint(URL, **old), outbox.endpoint(f"{URL}/used", **old)
    new = outbox.endpoint(f"{URL}/new", per_job=True)
    tenants = outbox.endpoint(f"{URL}/tenants", created_at=text("now() - interval '2 hours'"))
    with database.begin() as session:
        lifecycle.create_draft(session, outbox.tenant_id, JobRequest(), draft_hours=1, webhook_endpoint_id=used)
    assert sweep(database, CrashPolicy(2, 5)).endpoints == 1
    with database.begin() as session:
        left = set(session.scalars(text("SELECT id FROM webhook_endpoints")))
    assert left == {used, new, tenants}
    assert unused not in left


def test_an_event_about_an_endpoint_belongs_to_no_job(outbox: Outbox, ledger: Ledger, database: Database) -> None:
    outbox.event(outbox.endpoint(URL))
    ledger.record([failed(only(ledger.claim(MANY)), status=410)])
    with database.begin() as session:
        events = session.query(Event).filter_by(type=EventType.WEBHOOK_DISABLED).all()
    assert [(event.job_id, event.tenant_id) for event in events] == [(None, outbox.tenant_id)]


def test_thousands_wait_for_one_endpoint_and_the_others_do_not_notice(
    outbox: Outbox, ledger: Ledger, database: Database
) -> None:
    busy, quiet = outbox.endpoint(URL), outbox.endpoint(f"{URL}/quiet")
    with database.begin() as session:
        event = Event(tenant_id=outbox.tenant_id, type=EventType.JOB_COMPLETED, data={})
        session.add(event)
        session.flush()
        session.execute(
            text(
                """
                WITH made AS (
                    INSERT INTO events (id, tenant_id, type, data)
                    SELECT gen_random_uuid(), :tenant, 'job.completed', '{}' FROM generate_series(1, 3000) RETURNING id)
                INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type)
                SELECT gen_random_uuid(), :tenant, :endpoint, id, 'job.completed' FROM made
                """
            ),
            {"tenant": outbox.tenant_id, "endpoint": busy},
        )
    last = outbox.event(quiet)
    claims = ledger.claim(MANY)
    assert sum(claim.endpoint_id == busy for claim in claims) == 3
    assert [claim.event_id for claim in claims if claim.endpoint_id == quiet] == [last]


def test_a_lease_is_longer_than_an_attempt(outbox: Outbox, ledger: Ledger) -> None:
    event = outbox.event(outbox.endpoint(URL))
    claim = only(ledger.claim(MANY))
    until = outbox.delivery(event).lease_until
    assert until is not None
    assert until - claim.claimed_at == timedelta(seconds=5 + LEASE_SLACK_SECONDS)
