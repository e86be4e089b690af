"""``phytobatch deliveries``: what was sent to webhooks."""

from client.commands.command import Group
from client.commands.deliveries import listing, redeliver, show

DELIVERIES = Group(
    "deliveries",
    "what was sent to webhooks, and what they answered",
    (listing.COMMAND, show.COMMAND, redeliver.COMMAND),
)
