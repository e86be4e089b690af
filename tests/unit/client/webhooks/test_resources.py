"""Endpoints and deliveries as the contract has them."""

from __future__ import annotations

from datetime import datetime, timezone

from phytobatch.webhooks.resources import Delivery, JobSecret, Webhook

WEBHOOK = {
    "id": "0192",
    "url": "https://farm.example.org/hooks",
    "description": None,
    "events": ["job.completed"],
    "enabled": False,
    "disabled": {"reason": "gone", "at": "2026-06-01T08:01:02Z"},
    "consecutive_failures": 3,
    "failing_since": "2026-06-01T08:00:00Z",
    "paused_until": None,
    "last_success_at": None,
    "per_job": False,
    "created_at": "2026-06-01T07:00:00Z",
    "previous_secret_until": None,
    "links": {},
}
DELIVERY = {
    "id": "0193",
    "endpoint_id": "0192",
    "url": "https://farm.example.org/hooks",
    "webhook_id": "0194",
    "event": "job.completed",
    "job_id": None,
    "state": "pending",
    "attempts": 1,
    "next_attempt_at": "2026-06-01T08:01:02Z",
    "last_status": None,
    "last_error": "timeout",
    "created_at": "2026-06-01T08:01:02Z",
    "ended_at": None,
    "body": "{}",
    "attempt_log": [
        {"at": "2026-06-01T08:01:02Z", "milliseconds": 20000, "status": None, "error": "timeout", "response": None}
    ],
}


def test_a_webhook_is_read_from_its_answer() -> None:
    webhook = Webhook.from_json(WEBHOOK)

    assert (webhook.disabled_reason, webhook.disabled_at) == (
        "gone",
        datetime(2026, 6, 1, 8, 1, 2, tzinfo=timezone.utc),
    )
    assert webhook.events == ("job.completed",)
    assert webhook.secret is None


def test_a_secret_is_in_no_repr_and_not_in_raw() -> None:
    webhook = Webhook.from_json({**WEBHOOK, "secret": "whsec_hidden"})
    secret = JobSecret.from_json({"secret": "whsec_hidden", "created_at": None})

    assert webhook.secret == secret.secret == "whsec_hidden"  # noqa: S105  # no secret of anybody
    assert "hidden" not in repr(webhook) + repr(webhook.raw) + repr(secret)
    assert secret.exists


def test_a_delivery_is_read_with_its_attempts() -> None:
    delivery = Delivery.from_json(DELIVERY)

    assert [(each.milliseconds, each.error) for each in delivery.attempt_log] == [(20000, "timeout")]
    assert delivery.next_attempt_at == datetime(2026, 6, 1, 8, 1, 2, tzinfo=timezone.utc)


def test_pages_keep_the_cursor() -> None:
    page = Webhook.page({"webhooks": [WEBHOOK], "after": "x", "has_more": True})

    assert (page.items[0].id, page.after, page.has_more) == ("0192", "x", True)
    assert Delivery.page({"deliveries": [], "after": None, "has_more": False}).items == ()
