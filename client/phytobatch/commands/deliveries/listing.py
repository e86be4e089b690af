"""``phytobatch deliveries list``: newest first."""

from __future__ import annotations

import argparse
import itertools

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.deliveries.printing import last_answer
from phytobatch.exit_codes import ExitCode
from phytobatch.webhooks.deliveries import PAGE_SIZE
from phytobatch.webhooks.resources import Delivery


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--webhook", metavar="WEBHOOK", help="only those to this webhook")
    parser.add_argument("--job", metavar="JOB", help="only those about this job")
    parser.add_argument(
        "--state", choices=options.DELIVERY_STATES, metavar="STATE", help=", ".join(options.DELIVERY_STATES)
    )
    options.limit_option(parser, "deliveries")


def run(context: Context) -> ExitCode:
    """Print the deliveries, as a table or one JSON document per line."""
    given = context.options
    every = context.client.deliveries.list(
        webhook_id=given.webhook, job_id=given.job, state=given.state, page_size=min(given.limit, PAGE_SIZE)
    )
    deliveries = itertools.islice(every, given.limit)
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


COMMAND = Command(
    "list",
    "list deliveries, newest first",
    add_arguments,
    run,
    examples=(
        "phytobatch deliveries list --state failed",
        "phytobatch deliveries list --webhook WEBHOOK --limit 100",
        "phytobatch deliveries list --job JOB --json | jq -r .last_status",
    ),
)
