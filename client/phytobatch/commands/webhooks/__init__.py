"""``phytobatch webhooks``: the addresses that get events."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.webhooks import endpoints, job_secret, redeliver, trial

DESCRIPTION = """\
Addresses that are told of what happens to jobs, in signed requests. To look at
what was sent: phytobatch deliveries."""

WEBHOOKS = Group(
    "webhooks",
    "addresses that are told of what happens to jobs",
    (
        endpoints.CREATE,
        endpoints.LIST,
        endpoints.SHOW,
        endpoints.UPDATE,
        endpoints.DELETE,
        endpoints.ROTATE,
        endpoints.ENABLE,
        endpoints.DISABLE,
        trial.COMMAND,
        redeliver.COMMAND,
        job_secret.COMMAND,
    ),
    description=DESCRIPTION,
)
