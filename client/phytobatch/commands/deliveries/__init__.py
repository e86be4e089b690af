"""``phytobatch deliveries``: what was sent to webhooks."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.deliveries import listing, redeliver, show

DELIVERIES = Group(
    "deliveries",
    "what was sent to webhooks, and what they answered",
    (listing.COMMAND, show.COMMAND, redeliver.COMMAND),
)
