"""The deliverer at work: real sockets to real receivers, and a clock that the test moves."""

import itertools
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from alembic import command
from standardwebhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs

from deploy.local.servers import LocalServers
from shared.contracts.states import AttemptError, DeliveryState, DisabledReason, EventType
from shared.db.models import WebhookDelivery
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import MakeSettings
from tests.integration.webhooks.factory import MovableClock, Outbox, delivering
from tests.integration.webhooks.receiver import Answer, Received, Receiver
from tests.patience import PATIENCE_SECONDS, wait_for

# The schedule of the specification: seconds before each attempt.
PAUSES = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
LOOPBACK = {"webhook_networks": "127.0.0.0/8:1-65535,[::1/128]:1-65535"}


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(
        **LOOPBACK,
        webhook_timeout_seconds=60,
        public_url="https://phytobatch.example.org/",
        shutdown_seconds=60,
    )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """A deliverer takes whatever is due, so each test has a database of its own."""
    made = Database(settings)
    yield made
    made.dispose()


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox.of(database)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def attempted(outbox: Outbox, event: uuid.UUID, times: int) -> WebhookDelivery:
    return wait_for(lambda: outbox.delivery(event), lambda seen: seen.attempts >= times)


def delivered(outbox: Outbox, event: uuid.UUID) -> WebhookDelivery:
    return wait_for(lambda: outbox.delivery(event), lambda seen: seen.state == DeliveryState.DELIVERED)


def down_for(attempts: int) -> Callable[[Received], Answer]:
    """Answers 503 so many times, then 200."""
    came: list[Received] = []

    def answer(request: Received) -> Answer:
        came.append(request)
        return Answer(status=200 if len(came) > attempts else 503, body=b"down")

    return answer


def test_the_official_library_verifies_what_comes(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    endpoint = outbox.endpoint(receiver.url)
    event = outbox.event(endpoint, number=3)
    with delivering(settings, database, clock):
        (request,) = receiver.wait_for(1)
        delivered(outbox, event)
    verified = Webhook(outbox.secret(endpoint)).verify(request.body, request.headers)
    assert verified["type"] == "job.completed"
    assert verified["data"]["number"] == 3
    assert request.headers["webhook-id"] == str(event)
    with pytest.raises(WebhookVerificationError):
        Webhook(outbox.secret(endpoint)).verify(request.body.replace(b"3", b"4"), request.headers)


def test_during_a_rotation_a_receiver_verifies_with_either_secret(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    endpoint = outbox.endpoint(receiver.url)
    old = outbox.secret(endpoint)
    new = outbox.rotate(endpoint, hours=24)
    outbox.event(endpoint)
    with delivering(settings, database, clock):
        (request,) = receiver.wait_for(1)
    for secret in (old, new):
        assert Webhook(secret).verify(request.body, request.headers)


def test_a_receiver_that_is_down_for_four_attempts_gets_it_at_the_fifth(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = down_for(4)
    event = outbox.event(outbox.endpoint(receiver.url))
    with delivering(settings, database, clock):
        for number, pause in enumerate(PAUSES[:5]):
            if number:
                clock.move(seconds=0.8 * pause)
                if pause > 60:  # so that what is left is longer than a busy machine may take to look
                    time.sleep(0.1)
                    assert len(receiver.requests) == number, "it came before its time"
                clock.move(seconds=0.3 * pause + 1)
            receiver.wait_for(number + 1)
            attempted(outbox, event, number + 1)
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 5)
    assert [attempt.status for attempt in outbox.attempts(event)] == [503, 503, 503, 503, 200]
    assert outbox.attempts(event)[0].response == "down"
    assert {request.headers["webhook-id"] for request in receiver.requests} == {str(event)}
    assert len({request.body for request in receiver.requests}) == 1
    stamps = [int(request.headers["webhook-timestamp"]) for request in receiver.requests]
    gaps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    assert all(gap >= pause for gap, pause in zip(gaps, PAUSES[1:5], strict=True)), gaps


def test_after_ten_failures_over_three_days_it_is_over(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = Answer(status=500)
    endpoint = outbox.endpoint(receiver.url)
    event = outbox.event(endpoint)
    with delivering(settings, database, clock):
        for number, pause in enumerate(PAUSES):
            clock.move(seconds=1.1 * pause + 1 if number else 0)
            attempted(outbox, event, number + 1)
        clock.move(days=2)
        time.sleep(0.2)
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.attempts, delivery.last_status) == (DeliveryState.FAILED, 10, 500)
    assert delivery.ended_at is not None
    assert len(receiver.requests) == 10
    assert outbox.endpoint_row(endpoint).enabled


def test_a_longer_retry_after_wins_over_the_schedule(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = lambda _: Answer(status=429, headers={"Retry-After": "600"})
    event = outbox.event(outbox.endpoint(receiver.url))
    with delivering(settings, database, clock):
        attempted(outbox, event, 1)
        clock.move(seconds=590)
        time.sleep(0.2)
        assert len(receiver.requests) == 1
        clock.move(seconds=15)
        receiver.wait_for(2)


def test_gone_disables_the_endpoint_and_tells_the_other_one(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = Answer(status=410)
    gone = outbox.endpoint(receiver.url)
    with Receiver() as other, delivering(settings, database, clock):
        listening = outbox.endpoint(other.url)
        outbox.event(gone)
        (told,) = other.wait_for(1)
        clock.move(days=1)
        time.sleep(0.2)
        verified = Webhook(outbox.secret(listening)).verify(told.body, told.headers)
    assert verified["type"] == "webhook.disabled"
    assert verified["data"]["endpoint_id"] == str(gone)
    assert verified["data"]["reason"] == "gone"
    assert "links" not in verified["data"]
    assert outbox.endpoint_row(gone).disabled_reason == DisabledReason.GONE
    assert len(receiver.requests) == 1


def test_progress_is_tried_once(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = Answer(status=500)
    event = outbox.event(outbox.endpoint(receiver.url, events=[EventType.JOB_PROGRESS]), type_=EventType.JOB_PROGRESS)
    with delivering(settings, database, clock):
        attempted(outbox, event, 1)
        clock.move(days=1)
        time.sleep(0.2)
    assert outbox.delivery(event).state == DeliveryState.FAILED
    assert len(receiver.requests) == 1


def test_an_open_breaker_uses_up_no_attempts_and_lets_one_probe_through(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = Answer(status=500)
    endpoint = outbox.endpoint(receiver.url)
    events = [outbox.event(endpoint, number=number) for number in range(20)]
    with delivering(settings, database, clock):
        receiver.wait_for(5)  # so many failures open it, and up to 8 are under way
        wait_for(lambda: outbox.endpoint_row(endpoint).open_until is not None)
        time.sleep(0.2)
        tried = len(receiver.requests)
        assert 5 <= tried <= 8, "only what was under way when it opened"
        clock.move(seconds=31)
        receiver.wait_for(tried + 1)
        time.sleep(0.2)
        assert len(receiver.requests) == tried + 1
        receiver.answer = Answer()
        clock.move(seconds=61)
        for event in events:
            clock.move(seconds=10)
            delivered(outbox, event)
    assert max(outbox.delivery(event).attempts for event in events) <= 2
    assert outbox.endpoint_row(endpoint).consecutive_failures == 0


def test_two_deliverers_keep_to_one_limit_for_an_endpoint(
    make_settings: MakeSettings, database: Database, outbox: Outbox, clock: MovableClock, settings: Settings
) -> None:
    limited = make_settings(
        **LOOPBACK,
        database_url=settings.database_url,
        webhook_in_flight_per_endpoint=3,
    )
    with Receiver(lambda _: Answer(delay=0.05)) as receiver:
        endpoint = outbox.endpoint(receiver.url)
        for number in range(30):
            outbox.event(endpoint, number=number)
        with delivering(limited, database, clock), delivering(limited, database, clock):
            requests = receiver.wait_for(30)
            time.sleep(0.2)
        # No answer was given before the delay, so each was under way for that long at least.
        began = [request.at for request in receiver.requests]
        assert max(sum(start <= moment < start + 0.05 for start in began) for moment in began) <= 3
        assert len({request.headers["webhook-id"] for request in requests}) == 30
        assert len(receiver.requests) == 30


def test_an_endpoint_that_hangs_does_not_slow_the_others(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    impatient = settings.model_copy(update={"shutdown_seconds": 0.2})
    with Receiver(lambda _: Answer(hang=True)) as hanging:
        stuck, healthy = outbox.endpoint(hanging.url), outbox.endpoint(receiver.url)
        stuck_events = [outbox.event(stuck) for _ in range(20)]
        for number in range(50):
            outbox.event(healthy, number=number)
        with delivering(impatient, database, clock, slots=16):
            receiver.wait_for(50)
            hanging.wait_for(1)
            assert outbox.attempts(stuck_events[0]) == [], "the healthy one waited for the deadline of the other"


def test_an_attempt_that_takes_too_long_is_a_failure_like_others(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = Answer(hang=True)
    event = outbox.event(outbox.endpoint(receiver.url))
    with delivering(settings.model_copy(update={"webhook_timeout_seconds": 0.5}), database, clock):
        assert attempted(outbox, event, 1).last_error == AttemptError.TIMEOUT


def test_an_address_that_is_refused_is_a_failure_like_others(
    make_settings: MakeSettings, settings: Settings, database: Database, outbox: Outbox, clock: MovableClock
) -> None:
    strict = make_settings(database_url=settings.database_url)
    event = outbox.event(outbox.endpoint("https://127.0.0.1:443/hooks"))
    with delivering(strict, database, clock):
        delivery = attempted(outbox, event, 1)
    assert (delivery.state, delivery.step) == (DeliveryState.PENDING, 1)
    assert delivery.last_error in {AttemptError.URL_REFUSED, AttemptError.ADDRESS_REFUSED}


def test_a_stop_lets_what_is_under_way_end(
    settings: Settings, database: Database, outbox: Outbox, clock: MovableClock, receiver: Receiver
) -> None:
    receiver.answer = Answer(delay=0.5)
    event = outbox.event(outbox.endpoint(receiver.url))
    with delivering(settings, database, clock):
        receiver.wait_for(1)
        assert outbox.delivery(event).attempts == 0
    assert outbox.delivery(event).state == DeliveryState.DELIVERED


def test_a_stop_hands_back_what_takes_too_long(
    make_settings: MakeSettings,
    settings: Settings,
    database: Database,
    outbox: Outbox,
    clock: MovableClock,
    receiver: Receiver,
) -> None:
    impatient = make_settings(**LOOPBACK, database_url=settings.database_url, shutdown_seconds=0.2)
    receiver.answer = Answer(hang=True)
    event = outbox.event(outbox.endpoint(receiver.url))
    with delivering(impatient, database, clock):
        receiver.wait_for(1)
    delivery = outbox.delivery(event)
    assert (delivery.state, delivery.attempts, delivery.lease_token) == (DeliveryState.PENDING, 0, None)
    receiver.answer = Answer()
    with delivering(settings, database, clock):
        attempted(outbox, event, 1)
    assert {request.headers["webhook-id"] for request in receiver.requests} == {str(event)}


def test_it_waits_while_postgres_is_away_and_records_what_it_sent_meanwhile(clock: MovableClock) -> None:
    away = threading.Event()
    with (
        LocalServers.temporary(services=["postgres"]) as servers,
        Receiver(lambda _: Answer(after=away)) as receiver,
        capture_logs() as logs,
    ):
        command.upgrade(alembic_config(servers.postgres.url), "head")
        own = Settings(
            database_url=servers.postgres.url,
            redis_url="redis://127.0.0.1:1/0",
            s3_bucket="none",
            **LOOPBACK,  # type: ignore[arg-type]  # two texts
        )
        database = Database(own)
        outbox = Outbox.of(database)
        endpoint = outbox.endpoint(receiver.url)
        event = outbox.event(endpoint)
        with delivering(own, database, clock):
            receiver.wait_for(1)
            servers.postgres.kill()
            away.set()
            receiver.wait_until_left()
            wait_for(lambda: "deliverer_waits" in [line["event"] for line in logs])
            servers.postgres.restart()
            delivered(outbox, event)
            delivered(outbox, outbox.event(endpoint))
        database.dispose()
        assert len(receiver.requests) == 2, "it was sent again although it was recorded"


def test_the_process_knows_no_classifier_no_queue_and_no_object_store() -> None:
    program = (
        "import json, sys; import worker.__main__, worker.webhooks.process; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    loaded = set(json.loads(done.stdout))
    assert {"aiohappyeyeballs", "sqlalchemy"} <= loaded
    assert not loaded & {"tensorflow", "keras", "numpy", "PIL", "celery", "kombu", "boto3", "botocore", "redis"}


def test_a_schedule_that_makes_no_sense_is_said_at_the_start(settings: Settings) -> None:
    environment = {
        "PHYTOBATCH_DATABASE_URL": settings.database_url.get_secret_value(),
        "PHYTOBATCH_REDIS_URL": "redis://127.0.0.1:1/0",
        "PHYTOBATCH_S3_BUCKET": "none",
        "PHYTOBATCH_WEBHOOK_SCHEDULE": "soon",
    }
    done = subprocess.run(
        [sys.executable, "-m", "worker", "deliver"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env=environment,
    )
    assert done.returncode == 1
    assert "PHYTOBATCH_WEBHOOK_SCHEDULE is 'soon'" in done.stderr
    assert "Traceback" not in done.stderr
