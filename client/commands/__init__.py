"""One file for each command. A new command is one new file and one line in this table."""

from client.commands import cancel, delete, jobs, models, predict, results, status, submit, version, watch
from client.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    submit.COMMAND,
    status.COMMAND,
    watch.COMMAND,
    results.COMMAND,
    cancel.COMMAND,
    delete.COMMAND,
    jobs.COMMAND,
    models.COMMAND,
    predict.COMMAND,
    version.COMMAND,
)
