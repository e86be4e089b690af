"""Commands for one endpoint, or for all: ``phytobatch webhooks create``, ``list``, ``show`` and so on."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.errors import ConfigurationError
from phytobatch.exit_codes import ExitCode
from phytobatch.terminal.output import Output
from phytobatch.webhooks.endpoints import PAGE_SIZE, Webhooks
from phytobatch.webhooks.resources import Webhook
from phytobatch.words import moment, plural


def add_create_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("address", metavar="URL", help="address that receives the events; https")
    options.event_option(parser)
    parser.add_argument("--description", metavar="TEXT", help="its purpose, in your words")


def create(context: Context) -> ExitCode:
    """Make the webhook, and print its secret."""
    arguments = context.options
    webhook = context.client.webhooks.create(
        arguments.address, events=arguments.event, description=arguments.description
    )
    print_with_secret(context, webhook)
    return ExitCode.OK


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.limit_option(parser, "webhooks")


def list_webhooks(context: Context) -> ExitCode:
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


def add_update_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.webhook_argument(parser)
    # --url is the server's, everywhere.
    parser.add_argument("--to", metavar="URL", help="send events there from now on; https")
    options.event_option(parser)
    parser.add_argument("--description", metavar="TEXT", help="its purpose, in your words")


def update(context: Context) -> ExitCode:
    """Change the webhook, and print it."""
    arguments = context.options
    changes = {"url": arguments.to, "events": arguments.event, "description": arguments.description}
    if all(value is None for value in changes.values()):
        raise ConfigurationError("There is nothing to change: give --to, --event or --description.")
    print_webhook(context, context.client.webhooks.update(arguments.webhook, **changes))
    return ExitCode.OK


def delete(context: Context) -> ExitCode:
    """Delete the webhook."""
    webhook_id = context.options.webhook
    context.client.webhooks.delete(webhook_id)
    if context.output.as_json:
        context.output.document({"id": webhook_id, "deleted": True})
    else:
        context.output.text(f"webhook {webhook_id} is deleted, with its deliveries")
    return ExitCode.OK


def print_webhook(context: Context, webhook: Webhook) -> None:
    """Print one webhook, without its secret."""
    if context.output.as_json:
        context.output.document(webhook.raw)
    else:
        context.output.table(("webhook", webhook.id), _rows(webhook), whole=("webhook",))


def print_with_secret(context: Context, webhook: Webhook) -> None:
    """Print one webhook with the secret that was just made: on stdout, once."""
    if context.output.as_json:
        context.output.document({**webhook.raw, "secret": webhook.secret})
    else:
        print_webhook(context, webhook)
    if webhook.secret is None:
        context.output.warn(
            f"The answer with the secret was lost on the way. Make another: phytobatch webhooks rotate {webhook.id}"
        )
    else:
        print_secret(context.output, webhook.secret)


def print_secret(output: Output, secret: str) -> None:
    """Print a secret on a line of its own; nobody can read it later."""
    if not output.as_json:
        output.text(f"secret {secret}")
    output.note("Keep the secret now: it is not shown again. Receivers verify with it.")


def state_of(webhook: Webhook) -> str:
    """Describe the state in a word or two: ``on``, ``failing``, ``paused``, ``off (gone)``."""
    if not webhook.enabled:
        return f"off ({(webhook.disabled_reason or '').replace('_', ' ')})"
    if webhook.paused_until is not None:
        return "paused"
    return "failing" if webhook.consecutive_failures else "on"


def _rows(webhook: Webhook) -> list[tuple[str, str]]:
    failures = plural(webhook.consecutive_failures, "failure")
    rows = {
        "url": webhook.url,
        "description": webhook.description,
        "state": state_of(webhook),
        "disabled": moment(webhook.disabled_at),
        "events": ", ".join(webhook.events),
        "in a row": f"{failures} since {moment(webhook.failing_since)}" if webhook.consecutive_failures else None,
        "paused until": moment(webhook.paused_until),
        "last success": moment(webhook.last_success_at),
        "created": moment(webhook.created_at),
        "old secret until": moment(webhook.previous_secret_until),
    }
    return [(name, value) for name, value in rows.items() if value]


def _on_one(
    name: str,
    about: str,
    act: Callable[[Webhooks, str], Webhook],
    *,
    show: Callable[[Context, Webhook], None] = print_webhook,
) -> Command:
    """Return the command that does one thing with one webhook and prints it."""

    def run(context: Context) -> ExitCode:
        show(context, act(context.client.webhooks, context.options.webhook))
        return ExitCode.OK

    return Command(name, about, options.webhook_argument, run, examples=(f"phytobatch webhooks {name} WEBHOOK",))


CREATE = Command(
    "create",
    "make a webhook and print its secret",
    add_create_arguments,
    create,
    examples=(
        "phytobatch webhooks create https://farm.example.org/hooks",
        "phytobatch webhooks create https://… --event job.completed --event job.failed",
        "phytobatch webhooks create https://… --json | jq -r .secret > hook.secret",
    ),
)
LIST = Command(
    "list",
    "list webhooks, newest first",
    add_list_arguments,
    list_webhooks,
    examples=("phytobatch webhooks list", "phytobatch webhooks list --json | jq -r .url"),
)
SHOW = _on_one("show", "show a webhook", Webhooks.get)
UPDATE = Command(
    "update",
    "change the address, the events or the description",
    add_update_arguments,
    update,
    examples=(
        "phytobatch webhooks update WEBHOOK --to https://farm.example.org/hooks2",
        "phytobatch webhooks update WEBHOOK --event job.completed --event job.failed",
    ),
)
DELETE = Command(
    "delete",
    "remove a webhook with its deliveries",
    options.webhook_argument,
    delete,
    examples=("phytobatch webhooks delete WEBHOOK",),
)
ROTATE = _on_one(
    "rotate", "make a new secret; the old one signs too for a while", Webhooks.rotate, show=print_with_secret
)
ENABLE = _on_one("enable", "send again; what waits is due at once", Webhooks.enable)
DISABLE = _on_one("disable", "send nothing more, and keep no new events", Webhooks.disable)
