"""``phytobatch deliveries show``: one delivery with its attempts."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.deliveries.printing import print_delivery
from phytobatch.exit_codes import ExitCode


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
