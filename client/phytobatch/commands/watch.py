"""``phytobatch watch``: follow a job to its end."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.following import check_out, follow, report, resumable
from phytobatch.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    options.out_option(parser, "write the results to a file (.csv, .ndjson, .geojson, .parquet ...)")
    options.patience_option(parser)


def run(context: Context) -> ExitCode:
    """Follow, report, and let the exit code say how it ended."""
    check_out(context.options.out)
    with resumable(context.output, context.options.job):
        job = follow(context, context.options.job)
        return report(context, job, out=context.options.out)


COMMAND = Command(
    "watch",
    "follow a job to its end and print a summary",
    add_arguments,
    run,
    examples=("phytobatch watch JOB", "phytobatch watch JOB --out results.csv && echo all classified"),
)
