"""``phytobatch results``: the results of a job, on the terminal or in a file; the table is that of ``export``."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.following import follow, patient, resumable
from phytobatch.commands.saving import add_table_options, print_table, save, table_of
from phytobatch.exit_codes import ExitCode
from phytobatch.exports.formats import format_of
from phytobatch.reports.atomic import check_writable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    add_table_options(parser, "the one of the file's name, csv on stdout, ndjson with --json")
    parser.add_argument("--follow", action="store_true", help="wait until the job has ended")
    options.patience_option(parser)
    options.out_option(parser, "write to a file, whole or not at all (default: stdout)")


def run(context: Context) -> ExitCode:
    """Write the results."""
    given = context.options
    if given.out is not None:
        check_writable(given.out)
        table = table_of(given, given.format or format_of(given.out))
    else:
        table = table_of(given, given.format or ("ndjson" if context.output.as_json else "csv"))
    if given.follow:
        with resumable(context.output, given.job):
            follow(context, given.job)
    if given.out is None:
        print_table(context, patient(context), table)
    else:
        save(context, patient(context), table, given.out)
        context.output.note(f"results are in {given.out}")
    return ExitCode.OK


COMMAND = Command(
    "results",
    "print or save the results of a job",
    add_arguments,
    run,
    examples=(
        "phytobatch results JOB --out results.csv",
        "phytobatch results JOB --label rust --format ndjson | jq -r .name",
        "phytobatch results JOB --status failed",
        "phytobatch results JOB --follow --out results.parquet",
    ),
)
