"""``phytobatch webhooks job-secret``: the secret that signs what goes to the addresses of single jobs."""

from __future__ import annotations

import argparse

from phytobatch.commands.command import Command, Context
from phytobatch.commands.webhooks.endpoints import print_secret
from phytobatch.exit_codes import ExitCode
from phytobatch.resources import JsonObject
from phytobatch.webhooks.resources import JobSecret
from phytobatch.words import moment

DESCRIPTION = """\
The secret that signs requests to the --webhook-url of jobs: one for all jobs.
Without an option: says whether it exists, and since when."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--new", action="store_true", help="make it, or another; the old one signs too for a while")


def run(context: Context) -> ExitCode:
    """Print whether there is one, or make one and print it."""
    webhooks = context.client.webhooks
    made = webhooks.new_job_secret() if context.options.new else webhooks.job_secret()
    if context.output.as_json:
        context.output.document(_document(made))
    else:
        context.output.text(_words(made))
    if made.secret is not None:
        print_secret(context.output, made.secret)
    return ExitCode.OK


def _words(made: JobSecret) -> str:
    if not made.exists:
        return "There is no secret for jobs yet. Make it: phytobatch webhooks job-secret --new"
    words = f"made {moment(made.created_at)}"
    words += f", rotated {moment(made.rotated_at)}" if made.rotated_at else ""
    return words + (f", old secret until {moment(made.previous_secret_until)}" if made.previous_secret_until else "")


def _document(made: JobSecret) -> JsonObject:
    times = {
        "created_at": made.created_at,
        "rotated_at": made.rotated_at,
        "previous_secret_until": made.previous_secret_until,
    }
    about = {name: time.isoformat() if time else None for name, time in times.items()}
    return {"exists": made.exists, **about, **({"secret": made.secret} if made.secret else {})}


COMMAND = Command(
    "job-secret",
    "show, make or rotate the secret for jobs' own addresses",
    add_arguments,
    run,
    examples=("phytobatch webhooks job-secret", "phytobatch webhooks job-secret --new"),
    description=DESCRIPTION,
)
