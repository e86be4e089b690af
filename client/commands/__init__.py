"""One file for each command. A new command is one new file and one line in this table, or in that of its group."""

from client.commands import (
    cancel,
    delete,
    export,
    jobs,
    models,
    predict,
    report,
    results,
    retry,
    status,
    submit,
    summary,
    version,
    watch,
)
from client.commands.command import Command, Group
from client.commands.corrections import CORRECTIONS
from client.commands.deliveries import DELIVERIES
from client.commands.webhooks import WEBHOOKS

COMMANDS: tuple[Command | Group, ...] = (
    submit.COMMAND,
    status.COMMAND,
    watch.COMMAND,
    results.COMMAND,
    export.COMMAND,
    summary.COMMAND,
    report.COMMAND,
    retry.COMMAND,
    cancel.COMMAND,
    delete.COMMAND,
    jobs.COMMAND,
    models.COMMAND,
    predict.COMMAND,
    CORRECTIONS,
    WEBHOOKS,
    DELIVERIES,
    version.COMMAND,
)
