"""``doctor``: checks everything that an installation depends on, and says what to do. A new check: one line below.

Each module checks one thing; its ``CHECKS`` are run in order. Where the first one fails, the thing is away, and the
others would only say so again.
"""

from api.admin.doctor import (
    backups,
    classifiers,
    clocks,
    database,
    encryption,
    objects,
    queue,
    secrets,
    store_ports,
    webhooks,
    work,
)
from api.admin.doctor.command import commands

# In the order in which they are printed: what the others stand on comes first.
COMMANDS = commands(
    (secrets, database, queue, encryption, objects, store_ports, clocks, classifiers, webhooks, work, backups)
)
