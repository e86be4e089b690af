"""``phytobatch jobs``: the jobs of this key's tenant, newest first."""

from __future__ import annotations

import argparse
import itertools

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.resources import Job
from phytobatch.sdk import JOBS_PER_PAGE
from phytobatch.words import moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--state", choices=options.JOB_STATES, metavar="STATE", help=", ".join(options.JOB_STATES))
    options.limit_option(parser, "jobs")


def run(context: Context) -> ExitCode:
    """Print the jobs, as a table or one JSON document per line."""
    arguments = context.options
    every = context.client.jobs(state=arguments.state, page_size=min(arguments.limit, JOBS_PER_PAGE))
    jobs = itertools.islice(every, arguments.limit)
    if context.output.as_json:
        for job in jobs:
            context.output.document(job.raw)
        return ExitCode.OK
    rows = [_row(job) for job in jobs]
    if rows:
        context.output.table(
            ("job", "state", "images", "done", "created", "name"),
            rows,
            right=("images", "done"),
            whole=("job", "state"),
        )
    else:
        context.output.note("no jobs")
    return ExitCode.OK


def _row(job: Job) -> tuple[str, ...]:
    counts = job.counts
    return job.id, job.state, f"{counts.total:,}", f"{counts.done:,}", moment(job.created_at)[:16], job.name or ""


COMMAND = Command(
    "jobs",
    "list jobs, newest first",
    add_arguments,
    run,
    examples=("phytobatch jobs --state running", "phytobatch jobs --limit 100 --json | jq -r .id"),
)
