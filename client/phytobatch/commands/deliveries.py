"""``phytobatch deliveries``: the requests sent to webhooks, newest first, each with its attempts."""

from __future__ import annotations

import argparse
import itertools

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context, Group
from phytobatch.exit_codes import ExitCode
from phytobatch.webhooks.deliveries import PAGE_SIZE
from phytobatch.webhooks.resources import Delivery, DeliveryAttempt
from phytobatch.words import moment


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--webhook", metavar="WEBHOOK", help="only those to this webhook")
    parser.add_argument("--job", metavar="JOB", help="only those about this job")
    parser.add_argument(
        "--state", choices=options.DELIVERY_STATES, metavar="STATE", help=", ".join(options.DELIVERY_STATES)
    )
    options.limit_option(parser, "deliveries")


def list_deliveries(context: Context) -> ExitCode:
    """Print the deliveries, as a table or one JSON document per line."""
    arguments = context.options
    every = context.client.deliveries.list(
        webhook_id=arguments.webhook,
        job_id=arguments.job,
        state=arguments.state,
        page_size=min(arguments.limit, PAGE_SIZE),
    )
    deliveries = itertools.islice(every, arguments.limit)
    if context.output.as_json:
        for delivery in deliveries:
            context.output.document(delivery.raw)
        return ExitCode.OK
    rows = [_row(delivery) for delivery in deliveries]
    if rows:
        context.output.table(
            ("delivery", "event", "state", "tries", "answer"), rows, right=("tries",), whole=("delivery", "state")
        )
    else:
        context.output.note("no deliveries")
    return ExitCode.OK


def _row(delivery: Delivery) -> tuple[str, ...]:
    return delivery.id, delivery.event, delivery.state, f"{delivery.attempts:,}", last_answer(delivery)


def show(context: Context) -> ExitCode:
    """Print the delivery."""
    print_delivery(context, context.client.deliveries.get(context.options.delivery))
    return ExitCode.OK


def redeliver(context: Context) -> ExitCode:
    """Send the delivery again, and print it."""
    print_delivery(context, context.client.deliveries.redeliver(context.options.delivery))
    return ExitCode.OK


def print_delivery(context: Context, delivery: Delivery) -> None:
    """Print one delivery; a table of its attempts follows where they are known."""
    if context.output.as_json:
        context.output.document(delivery.raw)
        return
    context.output.table(("delivery", delivery.id), _details(delivery), whole=("delivery",))
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


def _details(delivery: Delivery) -> list[tuple[str, str]]:
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


DELIVERIES = Group(
    "deliveries",
    "requests sent to webhooks, and their answers",
    (
        Command(
            "list",
            "list deliveries, newest first",
            add_list_arguments,
            list_deliveries,
            examples=(
                "phytobatch deliveries list --state failed",
                "phytobatch deliveries list --webhook WEBHOOK --limit 100",
                "phytobatch deliveries list --job JOB --json | jq -r .last_status",
            ),
        ),
        Command(
            "show",
            "show a delivery, its body and its attempts",
            options.delivery_argument,
            show,
            examples=("phytobatch deliveries show DELIVERY",),
        ),
        Command(
            "redeliver",
            "send a delivery again, now",
            options.delivery_argument,
            redeliver,
            examples=("phytobatch deliveries redeliver DELIVERY",),
        ),
    ),
)
