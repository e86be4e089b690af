"""From the API to a real receiver: what is made over HTTP is delivered, and verified by the official library."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.contracts.states import Scope
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import Api, MakeSettings, insert_key, insert_tenant
from tests.integration.webhooks.factory import MovableClock, delivering
from tests.integration.webhooks.hooks import Hooks
from tests.integration.webhooks.receiver import Received, Receiver
from tests.patience import wait_for


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(
        webhook_networks="127.0.0.0/8",
        webhook_ports="1-65535",
        public_url="https://phytobatch.example.org/",
        shutdown_seconds=5,
    )


@pytest.fixture
def hooks(anonymous: Api, settings: Settings, database: Database) -> Iterator[Hooks]:
    """A tenant, while a deliverer is at work."""
    tenant = insert_tenant(database)
    with delivering(settings, database, MovableClock()):
        yield Hooks(anonymous.with_key(insert_key(database, tenant, Scope.ADMIN)), tenant, database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def is_signed_by(secret: str, came: Received) -> bool:
    try:
        Webhook(secret).verify(came.body, came.headers)
    except WebhookVerificationError:
        return False
    return True


def arrived(hooks: Hooks) -> dict[str, Any]:
    """The one delivery, once it is recorded that it arrived."""
    (delivery,) = wait_for(lambda: hooks.deliveries("?state=delivered"))
    return delivery


def test_the_secret_that_was_shown_verifies_what_comes_also_during_a_rotation(hooks: Hooks, receiver: Receiver) -> None:
    made = hooks.make(url=receiver.url)
    hooks.call(made["id"], "test", status=202)
    (first,) = receiver.wait_for(1)
    assert is_signed_by(made["secret"], first)
    second_secret = hooks.call(made["id"], "rotate")["secret"]
    assert not is_signed_by(second_secret, first)
    hooks.canceled_job()
    second = receiver.wait_for(2)[1]
    assert is_signed_by(made["secret"], second)
    assert is_signed_by(second_secret, second)
    third_secret = hooks.call(made["id"], "rotate")["secret"]
    hooks.call(made["id"], "test", status=202)
    third = receiver.wait_for(3)[2]
    assert [is_signed_by(each, third) for each in (made["secret"], second_secret, third_secret)] == [False, True, True]


def test_the_delivery_shows_the_very_bytes_that_came_and_a_redelivery_brings_them_again(
    hooks: Hooks, receiver: Receiver
) -> None:
    made = hooks.make(url=receiver.url)
    job_id = hooks.canceled_job(name="Nordfeld 🌿 <Süd>")
    (came,) = receiver.wait_for(1)
    delivery = arrived(hooks)
    shown = hooks.api.get(delivery["links"]["self"]).json()
    assert shown["body"].encode() == came.body
    assert shown["webhook_id"] == came.headers["webhook-id"]
    assert [(each["status"], each["error"]) for each in shown["attempt_log"]] == [(204, None)]
    assert json.loads(came.body)["data"]["links"]["job"] == f"https://phytobatch.example.org/v1/jobs/{job_id}"
    assert hooks.api.post(delivery["links"]["redeliver"]).status == 202
    again = receiver.wait_for(2)[1]
    assert again.body == came.body
    assert again.headers["webhook-id"] == came.headers["webhook-id"]
    assert is_signed_by(made["secret"], again)


def test_a_webhook_url_is_signed_with_the_job_secret(hooks: Hooks, receiver: Receiver) -> None:
    secret = hooks.job_secret()
    job_id = hooks.canceled_job(webhook_url=receiver.url)
    (came,) = receiver.wait_for(1)
    assert is_signed_by(secret, came)
    assert json.loads(came.body)["data"]["job_id"] == job_id


def test_enabling_and_redelivering_since_bring_what_was_missed(hooks: Hooks, receiver: Receiver) -> None:
    made = hooks.make(url=receiver.url)
    hooks.call(made["id"], "disable")
    missed = {hooks.canceled_job() for _ in range(3)}
    hooks.call(made["id"], "enable")
    assert hooks.redeliver_since(made["id"]) == 3
    assert {json.loads(each.body)["data"]["job_id"] for each in receiver.wait_for(3)} == missed
