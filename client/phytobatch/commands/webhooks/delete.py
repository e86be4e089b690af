"""``phytobatch webhooks delete``: remove an endpoint."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Delete the webhook."""
    webhook_id = context.options.webhook
    context.client.webhooks.delete(webhook_id)
    if context.output.as_json:
        context.output.document({"id": webhook_id, "deleted": True})
    else:
        context.output.text(f"webhook {webhook_id} is deleted, with its deliveries")
    return ExitCode.OK


COMMAND = Command(
    "delete",
    "remove a webhook with its deliveries",
    options.webhook_argument,
    run,
    examples=("phytobatch webhooks delete WEBHOOK",),
)
