"""``phytobatch retry``: run the failed images of a job again."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.following import check_out, follow, report, resumable
from phytobatch.exit_codes import ExitCode
from phytobatch.words import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("--watch", action="store_true", help="wait for the end and print a summary")
    options.out_option(parser, "write the results to a file (.csv, .ndjson, .geojson, .parquet ...) (implies --watch)")
    options.patience_option(parser)


def run(context: Context) -> ExitCode:
    """Ask for it, and follow where asked to."""
    arguments = context.options
    check_out(arguments.out)
    job = context.client.retry(arguments.job)
    if arguments.watch or arguments.out:
        context.output.note(f"{plural(job.counts.pending, 'image')} of job {job.id} run again")
        with resumable(context.output, job.id):
            return report(context, follow(context, job.id), out=arguments.out)
    if context.output.as_json:
        context.output.document(job.raw)
    else:
        context.output.text(f"job {job.id} {job.state}: {plural(job.counts.pending, 'image')} to go")
    return ExitCode.OK


COMMAND = Command(
    "retry",
    "run the failed images of a job again; the answers that stand are kept",
    add_arguments,
    run,
    examples=("phytobatch retry JOB --watch", "phytobatch retry JOB --out results.csv"),
)
