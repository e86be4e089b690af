"""``phytobatch webhooks show``: one endpoint."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.printing import print_webhook
from phytobatch.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Print the webhook."""
    print_webhook(context, context.client.webhooks.get(context.options.webhook))
    return ExitCode.OK


COMMAND = Command(
    "show", "show a webhook", options.webhook_argument, run, examples=("phytobatch webhooks show WEBHOOK --json",)
)
