"""Deliveries and their attempts, for people."""

from __future__ import annotations

from phytobatch.commands.command import Context
from phytobatch.webhooks.resources import Delivery, DeliveryAttempt
from phytobatch.words import moment


def print_delivery(context: Context, delivery: Delivery) -> None:
    """Print one delivery; a table of its attempts follows where they are known."""
    if context.output.as_json:
        context.output.document(delivery.raw)
        return
    context.output.table(("delivery", delivery.id), _rows(delivery), whole=("delivery",))
    if delivery.attempt_log:
        context.output.text("")
        rows = [(moment(each.at), _milliseconds(each), _outcome(each)) for each in delivery.attempt_log]
        context.output.table(("attempt", "ms", "answer"), rows, right=("ms",), whole=("attempt",))


def answer_of(attempt: DeliveryAttempt) -> str:
    """Describe the outcome of an attempt: ``the receiver answered 503 after 35 ms``, ``name not found``."""
    after = "" if attempt.milliseconds is None else f" after {attempt.milliseconds:,} ms"
    if attempt.status is None:
        return f"{_word(attempt.error) or 'no answer'}{after}"
    reason = f" ({_word(attempt.error)})" if attempt.error else ""
    return f"the receiver answered {attempt.status}{reason}{after}"


def last_answer(delivery: Delivery) -> str:
    """Return the status of the last answer, or a word for why there is none."""
    return " ".join(filter(None, [str(delivery.last_status or ""), _word(delivery.last_error)]))


def first_line(text: str | None) -> str:
    """Return the beginning of an answer, on one line."""
    lines = (text or "").strip().splitlines()
    return lines[0][:200] if lines else ""


def _rows(delivery: Delivery) -> list[tuple[str, str]]:
    rows = {
        "event": delivery.event,
        "state": delivery.state,
        "to": delivery.url,
        "webhook": delivery.endpoint_id,
        "webhook-id": delivery.webhook_id,
        "job": delivery.job_id,
        "attempts": f"{delivery.attempts:,}",
        "next attempt": moment(delivery.next_attempt_at) if delivery.state == "pending" else None,
        "last answer": last_answer(delivery),
        "created": moment(delivery.created_at),
        "ended": moment(delivery.ended_at),
        "body": delivery.body,
    }
    return [(name, value) for name, value in rows.items() if value]


def _outcome(attempt: DeliveryAttempt) -> str:
    words = [str(attempt.status or ""), _word(attempt.error), first_line(attempt.response)]
    return " ".join(word for word in words if word)


def _milliseconds(attempt: DeliveryAttempt) -> str:
    return "" if attempt.milliseconds is None else f"{attempt.milliseconds:,}"


def _word(error: str | None) -> str:
    return (error or "").replace("_", " ")
