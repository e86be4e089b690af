"""``phytobatch deliveries``: what was sent to webhooks."""

from phytobatch.commands.command import Group
from phytobatch.commands.deliveries import listing, redeliver, show

DELIVERIES = Group(
    "deliveries",
    "what was sent to webhooks, and what they answered",
    (listing.COMMAND, show.COMMAND, redeliver.COMMAND),
)
