"""``phytobatch corrections put`` and ``delete``: say what an image or a tile shows, and take it back."""

from __future__ import annotations

import argparse

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode

DESCRIPTION = """\
What was said stays in the history. With --by, the latest that still stands of
the others counts again; without, no correction is left."""


def _add_place(parser: argparse.ArgumentParser) -> None:
    options.job_argument(parser)
    parser.add_argument("image", metavar="SEQ", type=int, help="number of the image in its job")


def add_put_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    _add_place(parser)
    parser.add_argument("label", metavar="LABEL", help="id as classes have; it need not be one of the classifier")
    _add_tile(parser)
    parser.add_argument("--note", metavar="TEXT", help="a remark")
    parser.add_argument("--by", metavar="NAME", help="the person; the name of the API key if left out")


def put(context: Context) -> ExitCode:
    """Store it, and print what the classifier said."""
    given = context.options
    made = context.client.corrections.put(
        given.job, given.image, given.label, tile=given.tile, note=given.note, corrected_by=given.by
    )
    if context.output.as_json:
        context.output.document(made.raw)
    else:
        of_tile = "" if made.tile is None else f", tile {made.tile}"
        context.output.text(f"{made.name}{of_tile}: {made.label} (predicted: {made.predicted or 'nothing'})")
    return ExitCode.OK


def add_delete_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    _add_place(parser)
    _add_tile(parser)
    parser.add_argument("--by", metavar="NAME", help="only what this person said; everybody's if left out")


def delete(context: Context) -> ExitCode:
    """Take it back."""
    given = context.options
    context.client.corrections.delete(given.job, given.image, tile=given.tile, corrected_by=given.by)
    context.output.note("taken back")
    return ExitCode.OK


def _add_tile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tile", type=int, metavar="N", help="one tile of the image, counted from 0, rows first")


PUT = Command(
    "put",
    "say what an image or a tile shows",
    add_put_arguments,
    put,
    examples=("phytobatch corrections put JOB 7 healthy", "phytobatch corrections put JOB 7 rust --tile 42 --by Ana"),
)
DELETE = Command(
    "delete",
    "take a correction back",
    add_delete_arguments,
    delete,
    description=DESCRIPTION,
    examples=("phytobatch corrections delete JOB 7 --tile 42 --by Ana",),
)
