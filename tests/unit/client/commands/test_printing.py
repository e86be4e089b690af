"""Webhooks and deliveries for people."""

from __future__ import annotations

import json

import pytest

from phytobatch.commands.deliveries import answer_of, first_line, last_answer
from phytobatch.commands.webhooks.endpoints import print_secret, state_of
from phytobatch.terminal.output import Output
from phytobatch.webhooks.resources import Delivery, DeliveryAttempt, Webhook
from tests.unit.client.webhooks.test_resources import DELIVERY, WEBHOOK


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "off (gone)"),
        ({"disabled": {"reason": "by_request"}}, "off (by request)"),
        ({"enabled": True, "disabled": None}, "failing"),
        ({"enabled": True, "disabled": None, "consecutive_failures": 0}, "on"),
        ({"enabled": True, "disabled": None, "paused_until": "2026-06-01T08:00:00Z"}, "paused"),
    ],
)
def test_the_state_of_a_webhook_in_a_word(change: dict[str, object], words: str) -> None:
    assert state_of(Webhook.from_json({**WEBHOOK, **change})) == words


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (DeliveryAttempt(None, 35, 204, None, ""), "the receiver answered 204 after 35 ms"),
        (DeliveryAttempt(None, 1035, 302, "redirected", ""), "the receiver answered 302 (redirected) after 1,035 ms"),
        (DeliveryAttempt(None, 2, None, "name_not_found", None), "name not found after 2 ms"),
    ],
)
def test_an_attempt_in_a_sentence(attempt: DeliveryAttempt, words: str) -> None:
    assert answer_of(attempt) == words


def test_the_last_answer_is_a_status_or_a_word() -> None:
    assert last_answer(Delivery.from_json(DELIVERY)) == "timeout"
    assert last_answer(Delivery.from_json({**DELIVERY, "last_status": 503, "last_error": None})) == "503"


@pytest.mark.parametrize(("text", "line"), [(None, ""), ("", ""), ("\n a\nb", "a"), ("x" * 1000, "x" * 200)])
def test_an_answer_is_cut_to_a_line(text: str | None, line: str) -> None:
    assert first_line(text) == line


def test_a_secret_goes_to_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_secret(Output(), "whsec_x")
    captured = capsys.readouterr()

    assert captured.out == "secret whsec_x\n"
    assert "not shown again" in captured.err
    assert "whsec_x" not in captured.err


def test_json_on_stdout_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.document({"secret": "whsec_x"})
    print_secret(output, "whsec_x")

    assert json.loads(capsys.readouterr().out) == {"secret": "whsec_x"}
