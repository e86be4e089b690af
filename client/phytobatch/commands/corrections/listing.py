"""``phytobatch corrections list``: what people say of the images of a job."""

from __future__ import annotations

import argparse
import itertools

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.corrections.resources import Correction
from phytobatch.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    options.limit_option(parser, "corrections")


def run(context: Context) -> ExitCode:
    """Print them, as a table or one JSON document per line."""
    arguments = context.options
    corrections = list(itertools.islice(context.client.corrections.list(arguments.job), arguments.limit))
    if context.output.as_json:
        for one in corrections:
            context.output.document(one.raw)
    elif corrections:
        titles = ("image", "file", "label", "classifier predicted", "by", "note")
        context.output.table(titles, [_row(one) for one in corrections], right=("image",), whole=("label",))
    else:
        context.output.note("no corrections")
    return ExitCode.OK


def _row(one: Correction) -> tuple[str, ...]:
    predicted = one.predicted or ""
    if one.confidence is not None:
        predicted += f" ({one.confidence:.2f})"
    return str(one.seq), one.name, one.label, predicted, one.corrected_by or "", one.note or ""


COMMAND = Command(
    "list",
    "list the corrections of a job",
    add_arguments,
    run,
    examples=("phytobatch corrections list JOB --limit 1000",),
)
