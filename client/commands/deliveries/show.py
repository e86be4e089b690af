"""``phytobatch deliveries show``: one delivery with its attempts."""

from client.commands import options
from client.commands.command import Command, Context
from client.commands.deliveries.printing import print_delivery
from client.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Print the delivery."""
    print_delivery(context, context.client.deliveries.get(context.options.delivery))
    return ExitCode.OK


COMMAND = Command(
    "show",
    "show a delivery, its body and its attempts",
    options.delivery_argument,
    run,
    examples=("phytobatch deliveries show DELIVERY",),
)
