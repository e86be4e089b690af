"""``verify`` against what the server signs and against the public library, in both directions."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from phytobatch import ConfigurationError, VerificationError, verify
from shared.webhooks.signing import new_secret, signature_header

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
NOW = 1_780_300_862
EVENT = {"type": "job.completed", "timestamp": "2026-06-01T08:01:02Z", "data": {"name": "Blüte"}}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()


def headers(*secrets: str, body: bytes = BODY, at: int = NOW, webhook_id: str = "0192") -> dict[str, str]:
    """As the server sends them."""
    signature = signature_header(secrets, webhook_id=webhook_id, timestamp=at, body=body)
    return {"Webhook-Id": webhook_id, "webhook-timestamp": str(at), "WEBHOOK-SIGNATURE": signature}


def test_what_the_server_signs_is_believed() -> None:
    assert verify(SECRET, headers(SECRET), BODY, now=NOW) == EVENT


@given(
    body=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), key=st.binary(min_size=24, max_size=64)
)
def test_what_the_public_library_signs_is_believed(body: dict[str, str], key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    text = json.dumps(body)
    moment = datetime.now(timezone.utc)
    given = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", moment, text),
    }

    assert verify(secret, given, text.encode()) == body


def test_the_public_library_believes_the_same() -> None:
    secret = new_secret()
    now = int(datetime.now(timezone.utc).timestamp())
    given = headers(OTHER, secret, at=now)

    assert Webhook(secret).verify(BODY, given) == verify(secret, given, BODY) == EVENT


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], (SECRET, OTHER)])
def test_one_of_several_secrets_and_signatures_is_enough(secrets: list[str]) -> None:
    assert verify(secrets, headers("whsec_" + "A" * 32, SECRET), BODY, now=NOW) == EVENT


@given(position=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_a_changed_body_is_not_believed(position: int, flip: int) -> None:
    changed = bytearray(BODY)
    changed[position] ^= flip

    with pytest.raises(VerificationError, match="No signature fits"):
        verify(SECRET, headers(SECRET), bytes(changed), now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "0193"},
        {"webhook-timestamp": str(NOW + 1)},
        {"WEBHOOK-SIGNATURE": ""},
        {"WEBHOOK-SIGNATURE": "v1,"},
        {"WEBHOOK-SIGNATURE": "v1,not base64"},
        {"WEBHOOK-SIGNATURE": "v1"},
        {"Webhook-Id": ""},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "\u0663"},
    ],
)
def test_other_headers_are_not_believed(change: dict[str, str]) -> None:
    with pytest.raises(VerificationError):
        verify(SECRET, {**headers(SECRET), **change}, BODY, now=NOW)


def test_another_version_of_the_signature_is_not_believed() -> None:
    given = headers(SECRET)
    given["WEBHOOK-SIGNATURE"] = given["WEBHOOK-SIGNATURE"].replace("v1,", "v1a,")

    with pytest.raises(VerificationError):
        verify(SECRET, given, BODY, now=NOW)


@pytest.mark.parametrize(("seconds", "is_believed"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_request_from_another_time_is_not_believed(seconds: int, is_believed: bool) -> None:  # noqa: FBT001  # a table
    given = headers(SECRET, at=NOW - seconds)
    if is_believed:
        assert verify(SECRET, given, BODY, now=NOW) == EVENT
        return
    with pytest.raises(VerificationError, match="clock"):
        verify(SECRET, given, BODY, now=NOW)


def test_another_secret_does_not_fit() -> None:
    with pytest.raises(VerificationError):
        verify(OTHER, headers(SECRET), BODY, now=NOW)


@pytest.mark.parametrize("body", [b"[1]", b"no JSON", b"\xff"])
def test_what_is_signed_but_no_event_is_not_believed(body: bytes) -> None:
    with pytest.raises(VerificationError, match="JSON"):
        verify(SECRET, headers(SECRET, body=body), body, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "päng"])
def test_no_secret_is_not_a_secret(secret: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verify([SECRET, secret], headers(SECRET), BODY, now=NOW)
    assert SECRET not in str(caught.value)


def test_no_secrets_at_all_believe_nobody() -> None:
    with pytest.raises(VerificationError):
        verify([], headers(SECRET), BODY, now=NOW)
