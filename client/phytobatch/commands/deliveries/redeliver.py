"""``phytobatch deliveries redeliver``: send one again."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.deliveries.printing import print_delivery
from phytobatch.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Ask for it, and print the delivery."""
    print_delivery(context, context.client.deliveries.redeliver(context.options.delivery))
    return ExitCode.OK


COMMAND = Command(
    "redeliver",
    "send a delivery again, now",
    options.delivery_argument,
    run,
    examples=("phytobatch deliveries redeliver DELIVERY",),
)
