"""``phytobatch webhooks test``: send a test event and print the receiver's answer."""

from __future__ import annotations

import argparse
import time

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.deliveries import answer_of, first_line
from phytobatch.errors import WaitTimeout
from phytobatch.exit_codes import ExitCode
from phytobatch.webhooks.resources import Delivery

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.webhook_argument(parser)
    parser.add_argument(
        "--wait",
        type=options.positive_number,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="longest wait for the receiver's answer (default 30)",
    )


def run(context: Context) -> ExitCode:
    """Send, wait for the first attempt, and let the exit code say whether it arrived."""
    delivery = _attempted(context, context.client.webhooks.test(context.options.webhook))
    is_delivered = delivery.state == "delivered"
    if context.output.as_json:
        context.output.document(delivery.raw)
    else:
        context.output.text(f"{'delivered' if is_delivered else 'not delivered'}: {answer_of(delivery.attempt_log[0])}")
        response = first_line(delivery.attempt_log[0].response)
        if response:
            context.output.text(f"  {response}")
        context.output.note(f"more: phytobatch deliveries show {delivery.id}")
    return ExitCode.OK if is_delivered else ExitCode.NOT_DELIVERED


def _attempted(context: Context, delivery: Delivery) -> Delivery:
    deadline = time.monotonic() + context.options.wait
    while True:
        seen = context.client.deliveries.get(delivery.id)
        if seen.attempt_log:
            return seen
        if time.monotonic() + POLL_SECONDS > deadline:
            raise WaitTimeout(
                f"No attempt within {context.options.wait:g} seconds: does the deliverer run, and is the webhook not "
                f"paused? Look again: phytobatch deliveries show {delivery.id}"
            )
        time.sleep(POLL_SECONDS)


COMMAND = Command(
    "test",
    "send a test event and print the receiver's answer",
    add_arguments,
    run,
    examples=("phytobatch webhooks test WEBHOOK && echo it works",),
)
