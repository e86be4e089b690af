"""``phytobatch webhooks``: who is told of what happens."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.webhooks import (
    create,
    delete,
    job_secret,
    listing,
    redeliver,
    rotate,
    show,
    switch,
    trial,
    update,
)

DESCRIPTION = """\
Addresses that are told of what happens to jobs, in signed requests. To look at
what was sent: phytobatch deliveries."""

WEBHOOKS = Group(
    "webhooks",
    "addresses that are told of what happens to jobs",
    (
        create.COMMAND,
        listing.COMMAND,
        show.COMMAND,
        update.COMMAND,
        delete.COMMAND,
        rotate.COMMAND,
        switch.ENABLE,
        switch.DISABLE,
        trial.COMMAND,
        redeliver.COMMAND,
        job_secret.COMMAND,
    ),
    description=DESCRIPTION,
)
