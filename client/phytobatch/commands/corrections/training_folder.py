"""``phytobatch corrections export``: the corrected images as a folder to train with."""

from __future__ import annotations

import argparse
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.corrections.folder import FolderOutcome, synchronise
from phytobatch.exit_codes import ExitCode
from phytobatch.words import plural

DESCRIPTION = """\
One folder for each label, with the original images in it, and with corrected
tiles cut out of theirs (needs Pillow: the extra `report`), as
`python -m worker.training train --data FOLDER` takes it. The same command again
downloads new images and removes those with another label; several jobs can
share one folder."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", required=True, help="folder to fill")


def run(context: Context) -> ExitCode:
    """Bring the images, and say how many of each label there are."""
    given, client = context.options, context.client
    corrections = list(client.corrections.list(given.job))
    outcome = synchronise(
        given.job,
        corrections,
        given.out,
        lambda seq, part: client.download_image(given.job, seq, part, policy=context.policy),
    )
    _report(context, outcome)
    return ExitCode.OK if outcome.is_complete else ExitCode.SOME_IMAGES_FAILED


def _report(context: Context, outcome: FolderOutcome) -> None:
    output = context.output
    for one in outcome.missing:
        output.warn(f"{one.name}: there is no such file in the object store")
    for one, reason in outcome.unreadable:
        output.warn(f"{one.name}, tile {one.tile}: {reason}")
    if output.as_json:
        output.document(
            {
                "folder": str(context.options.out),
                "labels": outcome.labels,
                "new": outcome.new,
                "removed": outcome.removed,
                "missing": [one.name for one in outcome.missing],
                "unreadable": [one.name for one, _ in outcome.unreadable],
            }
        )
    elif outcome.labels:
        rows = [(label, f"{count:,}") for label, count in sorted(outcome.labels.items())]
        output.table(("label", "images"), rows, right=("images",))
        output.note(f"{context.options.out}: {plural(outcome.new, 'new image')}, {outcome.removed} removed")
    else:
        output.note("no corrections")


COMMAND = Command(
    "export",
    "bring the corrected images and tiles into a folder to train with",
    add_arguments,
    run,
    description=DESCRIPTION,
    examples=("phytobatch corrections export JOB --out training/",),
)
