"""``phytobatch webhooks``: the addresses that get events."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.webhooks import endpoints, job_secret, redeliver, trial

DESCRIPTION = """\
Addresses that receive the events of jobs in signed requests. The requests that
were sent: phytobatch deliveries."""

WEBHOOKS = Group(
    "webhooks",
    "addresses that receive the events of jobs",
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
