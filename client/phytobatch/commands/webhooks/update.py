"""``phytobatch webhooks update``: change an endpoint."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.printing import print_webhook
from phytobatch.errors import ConfigurationError
from phytobatch.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.webhook_argument(parser)
    # --url is the server's, everywhere.
    parser.add_argument("--to", metavar="URL", help="send events there from now on; https")
    options.event_option(parser)
    parser.add_argument("--description", metavar="TEXT", help="what it is for")


def run(context: Context) -> ExitCode:
    """Change what is given."""
    given = context.options
    changes = {"url": given.to, "events": given.event, "description": given.description}
    if all(value is None for value in changes.values()):
        raise ConfigurationError("There is nothing to change: give --to, --event or --description.")
    print_webhook(context, context.client.webhooks.update(given.webhook, **changes))
    return ExitCode.OK


COMMAND = Command(
    "update",
    "change the address, the events or the description",
    add_arguments,
    run,
    examples=(
        "phytobatch webhooks update WEBHOOK --to https://farm.example.org/hooks2",
        "phytobatch webhooks update WEBHOOK --event job.completed --event job.failed",
    ),
)
