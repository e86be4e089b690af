"""The commands: one file and one line in this table each; those of one group are a file or a folder."""

from __future__ import annotations

from phytobatch.commands import (
    cancel,
    classifiers,
    delete,
    explain,
    export,
    jobs,
    plan,
    predict,
    report,
    results,
    retry,
    status,
    submit,
    summary,
    tiles,
    version,
    watch,
)
from phytobatch.commands.command import Command, Group
from phytobatch.commands.corrections import CORRECTIONS
from phytobatch.commands.deliveries import DELIVERIES
from phytobatch.commands.webhooks import WEBHOOKS

COMMANDS: tuple[Command | Group, ...] = (
    submit.COMMAND,
    status.COMMAND,
    watch.COMMAND,
    results.COMMAND,
    export.COMMAND,
    summary.COMMAND,
    report.COMMAND,
    tiles.COMMAND,
    explain.COMMAND,
    retry.COMMAND,
    cancel.COMMAND,
    delete.COMMAND,
    jobs.COMMAND,
    classifiers.COMMAND,
    classifiers.OLDER,
    predict.COMMAND,
    plan.COMMAND,
    CORRECTIONS,
    WEBHOOKS,
    DELIVERIES,
    version.COMMAND,
)
