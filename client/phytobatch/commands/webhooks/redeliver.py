"""``phytobatch webhooks redeliver``: make up for a time when a receiver was away."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.words import moment, plural

DESCRIPTION = """\
Send every event since then that the webhook subscribes to and did not receive,
also those from while it was disabled."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.webhook_argument(parser)
    parser.add_argument(
        "--since",
        type=options.moment_ago,
        required=True,
        metavar="TIME",
        help="an age as 30m, 6h or 2d, or a time as 2026-06-01T08:00:00Z",
    )
    parser.add_argument("--all", action="store_true", help="also events that arrived")


def run(context: Context) -> ExitCode:
    """Request it, and print how many events are sent again."""
    arguments = context.options
    count = context.client.webhooks.redeliver(arguments.webhook, arguments.since, all_events=arguments.all)
    if context.output.as_json:
        context.output.document({"redelivered": count, "since": arguments.since.isoformat()})
    else:
        context.output.text(f"{plural(count, 'event')} since {moment(arguments.since)} on the way")
    return ExitCode.OK


COMMAND = Command(
    "redeliver",
    "send again the events that did not arrive since a time",
    add_arguments,
    run,
    examples=(
        "phytobatch webhooks redeliver WEBHOOK --since 6h",
        "phytobatch webhooks redeliver WEBHOOK --since 2026-06-01T08:00:00Z --all",
    ),
    description=DESCRIPTION,
)
