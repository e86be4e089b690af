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
    arguments = context.options
    if arguments.out is not None:
        check_writable(arguments.out)
        table = table_of(arguments, arguments.format or format_of(arguments.out))
    else:
        table = table_of(arguments, arguments.format or ("ndjson" if context.output.as_json else "csv"))
    if arguments.follow:
        with resumable(context.output, arguments.job):
            follow(context, arguments.job)
    if arguments.out is None:
        print_table(context, patient(context), table)
    else:
        save(context, patient(context), table, arguments.out)
        context.output.note(f"results are in {arguments.out}")
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
