"""``phytobatch webhooks create``: a new endpoint and its secret."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.printing import print_with_secret
from phytobatch.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("address", metavar="URL", help="where to send events; https")
    options.event_option(parser)
    parser.add_argument("--description", metavar="TEXT", help="what it is for")


def run(context: Context) -> ExitCode:
    """Make it, and print its secret."""
    given = context.options
    webhook = context.client.webhooks.create(given.address, events=given.event, description=given.description)
    print_with_secret(context, webhook)
    return ExitCode.OK


COMMAND = Command(
    "create",
    "make a webhook and print its secret",
    add_arguments,
    run,
    examples=(
        "phytobatch webhooks create https://farm.example.org/hooks",
        "phytobatch webhooks create https://… --event job.completed --event job.failed",
        "phytobatch webhooks create https://… --json | jq -r .secret > hook.secret",
    ),
)
