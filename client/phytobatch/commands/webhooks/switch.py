"""``phytobatch webhooks enable`` and ``disable``."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.printing import print_webhook
from phytobatch.exit_codes import ExitCode


def enable(context: Context) -> ExitCode:
    """Send again."""
    print_webhook(context, context.client.webhooks.enable(context.options.webhook))
    return ExitCode.OK


def disable(context: Context) -> ExitCode:
    """Send nothing more."""
    print_webhook(context, context.client.webhooks.disable(context.options.webhook))
    return ExitCode.OK


ENABLE = Command(
    "enable",
    "send again; what waits is due at once",
    options.webhook_argument,
    enable,
    examples=("phytobatch webhooks enable WEBHOOK",),
)
DISABLE = Command(
    "disable",
    "send nothing more, and keep no new events",
    options.webhook_argument,
    disable,
    examples=("phytobatch webhooks disable WEBHOOK",),
)
