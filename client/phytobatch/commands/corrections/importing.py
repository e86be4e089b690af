"""``phytobatch corrections import``: take a table of labels, or folders of sorted pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.corrections.sorting import read_sorted
from phytobatch.errors import ConfigurationError, FileUnreadable, InvalidRequest
from phytobatch.exit_codes import ExitCode
from phytobatch.words import plural

DESCRIPTION = """\
A CSV file whose first line names the columns: name or seq, and label; tile (for
the label of a tile, counted from 0, rows first), note and corrected_by are
optional. The whole file is imported, or nothing. A CSV export
with corrected_label filled in is such a file, too.

Or a folder with pictures that were sorted into folders named like labels, as
`phytobatch corrections sample` brings them and `export` writes them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("file", metavar="FILE.csv|FOLDER", type=Path, help="the table, or the sorted pictures")


def run(context: Context) -> ExitCode:
    """Send the table; say which lines make no sense."""
    arguments = context.options
    table = _sorted(context) if arguments.file.is_dir() else _read(arguments.file)
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


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{file} cannot be read: {error.strerror or error}") from error


def _sorted(context: Context) -> bytes:
    """Return what folders of sorted pictures say, as a table."""
    folder: Path = context.options.file
    found = read_sorted(context.options.job, folder)
    if not found.labels:
        raise ConfigurationError(
            f"No folder in {folder} has a picture of this job: `phytobatch corrections sample` brings some to sort."
        )
    if found.unsorted:
        context.output.note(f"{plural(found.unsorted, 'picture')} not sorted yet, left out")
    return found.table()


COMMAND = Command(
    "import",
    "take a CSV table of labels, or sorted pictures",
    add_arguments,
    run,
    description=DESCRIPTION,
    examples=("phytobatch corrections import JOB labels.csv", "phytobatch corrections import JOB to-sort"),
)
