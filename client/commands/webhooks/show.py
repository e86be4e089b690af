"""``phytobatch webhooks show``: one endpoint."""

from client.commands import options
from client.commands.command import Command, Context
from client.commands.webhooks.printing import print_webhook
from client.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Print the webhook."""
    print_webhook(context, context.client.webhooks.get(context.options.webhook))
    return ExitCode.OK


COMMAND = Command(
    "show", "show a webhook", options.webhook_argument, run, examples=("phytobatch webhooks show WEBHOOK --json",)
)
