"""The commands about webhooks against a real API, a real deliverer and a real receiver. No worker is needed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytobatch import verify
from tests.acceptance.client.conftest import Command
from tests.acceptance.system import System
from tests.integration.webhooks.receiver import Answer, Receiver
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def delivering(system: System) -> System:
    """The API and a deliverer."""
    system.start_deliverer()
    return system


@pytest.fixture
def phytobatch(delivering: System, tmp_path: Path) -> Command:
    return Command(delivering, tmp_path / "state")


def test_an_endpoint_is_made_tested_changed_and_removed(phytobatch: Command, receiver: Receiver) -> None:
    made = phytobatch.json("webhooks", "create", receiver.url, "--event", "job.completed", "--description", "farm")
    webhook, secret = made["id"], made["secret"]

    assert "delivered: the receiver answered 204" in phytobatch.run("webhooks", "test", webhook)
    (received,) = receiver.wait_for(1)
    event = verify(secret, received.headers, received.body)
    assert (event["type"], event["data"]["endpoint_id"]) == ("webhook.test", webhook)

    assert secret not in phytobatch.run("webhooks", "show", webhook)
    assert webhook in phytobatch.run("webhooks", "list")
    changed = phytobatch.json("webhooks", "update", webhook, "--event", "job.failed", "--event", "job.expired")
    assert sorted(changed["events"]) == ["job.expired", "job.failed"]
    assert changed["description"] == "farm"

    assert phytobatch.json("webhooks", "disable", webhook)["disabled"]["reason"] == "by_request"
    refused = phytobatch.json("webhooks", "test", webhook, code=8)
    assert refused["error"]["code"] == "webhook-disabled"
    assert phytobatch.json("webhooks", "enable", webhook)["enabled"] is True
    phytobatch.run("webhooks", "delete", webhook)
    phytobatch.run("webhooks", "show", webhook, code=6)


def test_a_receiver_that_refuses_is_told_in_words_and_in_the_exit_code(phytobatch: Command, receiver: Receiver) -> None:
    receiver.answer = Answer(status=500, body=b"out of order\nreally")
    webhook = phytobatch.json("webhooks", "create", receiver.url)["id"]

    said = phytobatch.run("webhooks", "test", webhook, code=9)

    assert "not delivered: the receiver answered 500" in said
    assert "  out of order" in said
    (delivery,) = [
        json.loads(line) for line in phytobatch.run("deliveries", "list", "--webhook", webhook, "--json").splitlines()
    ]
    shown = phytobatch.run("deliveries", "show", delivery["id"])
    assert "out of order" in shown
    assert "webhook.test" in shown
    assert max(map(len, phytobatch.run("deliveries", "list", "--webhook", webhook).splitlines())) <= 100

    receiver.answer = Answer()
    before = len(receiver.requests)
    phytobatch.run("deliveries", "redeliver", delivery["id"])
    assert receiver.wait_for(before + 1)[-1].headers["webhook-id"] == delivery["webhook_id"]


def test_a_secret_is_rotated_and_both_sign(phytobatch: Command, receiver: Receiver) -> None:
    made = phytobatch.json("webhooks", "create", receiver.url)
    rotated = phytobatch.json("webhooks", "rotate", made["id"])
    assert rotated["secret"] != made["secret"]
    phytobatch.run("webhooks", "test", made["id"])

    (received,) = receiver.wait_for(1)
    assert verify(made["secret"], received.headers, received.body)
    assert verify(rotated["secret"], received.headers, received.body)


def test_a_secret_is_on_stdout_alone(phytobatch: Command, receiver: Receiver) -> None:
    process = phytobatch.start("webhooks", "create", receiver.url)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)

    (secret,) = [line.split()[1] for line in out.splitlines() if line.startswith("secret ")]
    assert secret.startswith("whsec_")
    assert secret not in err
    assert "not shown again" in err


def test_a_job_has_an_address_of_its_own(phytobatch: Command, receiver: Receiver, tmp_path: Path) -> None:
    image = tmp_path / "leaf.jpg"
    image.write_bytes(b"no picture; nobody looks at it here")
    assert phytobatch.json("webhooks", "job-secret")["exists"] is False
    refused = phytobatch.json("submit", str(image), "--webhook-url", receiver.url, code=8)
    assert refused["error"]["code"] == "job-secret-missing"
    secret = phytobatch.json("webhooks", "job-secret", "--new")["secret"]

    submitted = phytobatch.json("submit", str(image), "--webhook-url", receiver.url)
    job = submitted["job"]["id"]
    phytobatch.run("cancel", job)

    received = receiver.wait_for(1)[-1]
    event = verify(secret, received.headers, received.body)
    assert (event["type"], event["data"]["job_id"]) == ("job.canceled", job)
    assert phytobatch.json("status", job)["webhook_url"] == receiver.url
    deliveries = map(json.loads, phytobatch.run("deliveries", "list", "--job", job, "--json").splitlines())
    # The endpoints of the other tests are told, too.
    assert [each["event"] for each in deliveries if each["url"] == receiver.url] == ["job.canceled"]


def test_what_was_missed_is_sent_again(phytobatch: Command, delivering: System, receiver: Receiver) -> None:
    webhook = phytobatch.json("webhooks", "create", receiver.url)["id"]
    phytobatch.run("webhooks", "disable", webhook)
    with delivering.client() as api:
        job = api.create_job(name="missed")
        api.cancel(job.id)
    phytobatch.run("webhooks", "enable", webhook)

    count = phytobatch.json("webhooks", "redeliver", webhook, "--since", "10m")["redelivered"]
    told = [json.loads(each.body) for each in receiver.wait_for(count)]
    # What happened in the other tests was missed, too.
    assert job.id in {each["data"].get("job_id") for each in told if each["type"] == "job.canceled"}
    assert "0 events" in phytobatch.run("webhooks", "redeliver", webhook, "--since", "0s")
