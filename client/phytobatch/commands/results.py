"""``phytobatch results``: the results of a job, also while it runs."""

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.reports import formats


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.job_argument(parser)
    parser.add_argument("--status", choices=options.IMAGE_STATUSES, help="only images with this status")
    parser.add_argument("--place", choices=("known", "missing"), help="only images with a position, or without one")
    parser.add_argument("--label", metavar="CLASS", help="only images of this class")
    parser.add_argument("--follow", action="store_true", help="go on until the job has ended")
    options.out_option(parser, "write to a file, whole or not at all (default: stdout)")
    parser.add_argument(
        "--format",
        choices=tuple(formats.FORMATS),
        help="default: the one of the file's name, csv on stdout, ndjson with --json",
    )


def run(context: Context) -> ExitCode:
    """Write the results as they are stored."""
    given = context.options
    results = context.client.results(
        given.job, status=given.status, label=given.label, place=given.place, follow=given.follow
    )
    if given.out is not None:
        formats.check_writable(given.out)
        formats.save(results, given.out, given.format or formats.format_of(given.out))
        context.output.note(f"results are in {given.out}")
    else:
        name = given.format or ("ndjson" if context.output.as_json else "csv")
        formats.FORMATS[name](results, context.output.stream)
        context.output.stream.flush()
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
    ),
)
