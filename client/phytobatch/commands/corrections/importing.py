"""``phytobatch corrections import``: take a table of labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.errors import FileUnreadable, InvalidRequest
from phytobatch.exit_codes import ExitCode
from phytobatch.words import plural

DESCRIPTION = """\
A CSV file whose first line names the columns: name or seq, and label; tile (for
the label of a tile, counted from 0, rows first), note and corrected_by are
optional. The whole file is imported, or nothing. A CSV export
with corrected_label filled in is such a file, too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("file", metavar="FILE.csv", type=Path, help="the table")


def run(context: Context) -> ExitCode:
    """Send the table; say which lines make no sense."""
    arguments = context.options
    try:
        table = arguments.file.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{arguments.file} cannot be read: {error.strerror or error}") from error
    try:
        done = context.client.corrections.import_table(arguments.job, table)
    except InvalidRequest as error:
        for line in error.problem.errors:
            context.output.warn(f"{arguments.file}, {line}")
        raise
    if context.output.as_json:
        context.output.document({"corrections": done.corrections, "changed": done.changed})
    else:
        context.output.text(f"{plural(done.corrections, 'correction')} taken, {done.changed} of them new")
    return ExitCode.OK


COMMAND = Command(
    "import",
    "take a CSV table of labels",
    add_arguments,
    run,
    description=DESCRIPTION,
    examples=("phytobatch corrections import JOB labels.csv",),
)
