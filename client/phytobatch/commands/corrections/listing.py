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
    parser.add_argument("--image", type=int, metavar="SEQ", help="only those of this image")
    parser.add_argument("--history", action="store_true", help="every word of every person, and what was taken back")
    options.limit_option(parser, "corrections")


def run(context: Context) -> ExitCode:
    """Print them, as a table or one JSON document per line."""
    arguments = context.options
    found = context.client.corrections.list(arguments.job, seq=arguments.image, history=arguments.history)
    corrections = list(itertools.islice(found, arguments.limit))
    if context.output.as_json:
        for one in corrections:
            context.output.document(one.raw)
    elif corrections:
        titles = ("image", "tile", "file", "label", "classifier predicted", "by", "note")
        context.output.table(titles, [_row(one) for one in corrections], right=("image", "tile"), whole=("label",))
    else:
        context.output.note("no corrections")
    return ExitCode.OK


def _row(one: Correction) -> tuple[str, ...]:
    predicted = one.predicted or ""
    if one.confidence is not None:
        predicted += f" ({one.confidence:.2f})"
    tile, label = "" if one.tile is None else str(one.tile), one.label or "(taken back)"
    return str(one.seq), tile, one.name, label, predicted, one.corrected_by or "", one.note or ""


COMMAND = Command(
    "list",
    "list the corrections of a job",
    add_arguments,
    run,
    examples=("phytobatch corrections list JOB --limit 1000", "phytobatch corrections list JOB --image 7 --history"),
)
