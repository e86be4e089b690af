"""The official library accepts our signatures, and nothing that was changed on the way."""

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.webhooks.signing import new_secret, sign, signature_header

BODY = '{"type":"job.completed","data":{"name":"Nördliches Feld"}}'.encode()
ID = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"


def headers(*secrets: str, body: bytes = BODY, timestamp: int | None = None) -> dict[str, str]:
    at = int(time.time()) if timestamp is None else timestamp
    return {
        "webhook-id": ID,
        "webhook-timestamp": str(at),
        "webhook-signature": signature_header(secrets, webhook_id=ID, timestamp=at, body=body),
    }


def test_a_secret_has_the_form_that_the_specification_asks_for() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert new_secret() != secret


def test_the_signature_is_that_of_the_example_in_the_specification() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_official_library_accepts_a_delivery() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers(secret))["type"] == "job.completed"


def test_during_a_rotation_the_new_and_the_old_secret_are_both_good() -> None:
    new, old = new_secret(), new_secret()
    signed = headers(new, old)
    assert len(signed["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        Webhook(secret).verify(BODY, signed)


@pytest.mark.parametrize(
    "change",
    [
        {"body": " "},
        {"webhook-id": "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e11"},
        {"webhook-timestamp": str(int(time.time()) - 60)},
        {"webhook-signature": "v1,AAAA"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_changed_on_the_way_is_refused(change: dict[str, str]) -> None:
    secret = new_secret()
    body = BODY + change.pop("body", "").encode()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, {**headers(secret), **change})


def test_another_secret_is_refused() -> None:
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers(new_secret()))


def test_an_old_delivery_is_refused_by_its_time() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers(secret, timestamp=int(time.time()) - 3600))
