"""``phytobatch webhooks list``: the tenant's endpoints."""

from __future__ import annotations

import argparse
import itertools

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.printing import state_of
from phytobatch.exit_codes import ExitCode
from phytobatch.webhooks.endpoints import PAGE_SIZE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.limit_option(parser, "webhooks")


def run(context: Context) -> ExitCode:
    """Print the webhooks, as a table or one JSON document per line."""
    limit = context.options.limit
    webhooks = itertools.islice(context.client.webhooks.list(page_size=min(limit, PAGE_SIZE)), limit)
    if context.output.as_json:
        for webhook in webhooks:
            context.output.document(webhook.raw)
        return ExitCode.OK
    rows = [(each.id, state_of(each), each.url) for each in webhooks]
    if rows:
        context.output.table(("webhook", "state", "url"), rows, whole=("webhook", "state"))
    else:
        context.output.note("no webhooks")
    return ExitCode.OK


COMMAND = Command(
    "list",
    "list webhooks, newest first",
    add_arguments,
    run,
    examples=("phytobatch webhooks list", "phytobatch webhooks list --json | jq -r .url"),
)
