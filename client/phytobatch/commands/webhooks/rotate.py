"""``phytobatch webhooks rotate``: a new secret for an endpoint."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.printing import print_with_secret
from phytobatch.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Rotate, and print the new secret."""
    print_with_secret(context, context.client.webhooks.rotate(context.options.webhook))
    return ExitCode.OK


COMMAND = Command(
    "rotate",
    "make a new secret; the old one signs too for a while",
    options.webhook_argument,
    run,
    examples=("phytobatch webhooks rotate WEBHOOK",),
)
