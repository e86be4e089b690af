"""``phytobatch predict``: classify one image and wait for the answer."""

from __future__ import annotations

import argparse
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.resources import Prediction, TileSums
from phytobatch.terminal.output import Output
from phytobatch.terminal.summary import WORDS
from phytobatch.words import plural

SHADES = ".-+*#"  # from nothing to the most, in the letters that every terminal has


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the image")
    options.classifier_option(parser)
    options.tile_options(parser)
    options.explain_option(parser)


def run(context: Context) -> ExitCode:
    """Print the class, its confidence and the probabilities, or the tiles."""
    arguments, output = context.options, context.output
    tiles = options.tile_settings(arguments)
    prediction = context.client.predict(
        arguments.file,
        classifier=arguments.classifier,
        tiling=str(tiles.tiling) if tiles.tiling else None,
        on_coarse=tiles.on_coarse,
        ground_resolution_mm=tiles.ground_resolution_mm,
        explain=arguments.explain,
    )
    if output.as_json:
        output.document(prediction.raw)
        return ExitCode.OK
    output.text(answer(prediction))
    if prediction.tiles is not None:
        _print_tiles(output, prediction.tiles)
    by_size = sorted((prediction.probabilities or {}).items(), key=lambda item: -item[1])
    if by_size:
        output.table(("class", "probability"), [(name, f"{p:.4f}") for name, p in by_size], right=("probability",))
    if arguments.explain:
        for line in where(prediction):
            output.text(line)
    return ExitCode.OK


def answer(prediction: Prediction) -> str:
    """Say the answer in a line; an undecided image is not called anything."""
    reason = prediction.review_reason or "low_confidence"
    if prediction.predicted_class is None:
        return f"undecided, and not healthy: {WORDS.get(reason, reason)}"
    sure = "" if prediction.confidence is None else f" {prediction.confidence:.1f}%"
    review = f" ({reason}: look at it yourself)" if prediction.needs_review else ""
    crop = f" on {prediction.crop}" if prediction.crop else ""
    return f"{prediction.predicted_class}{crop}{sure}{review}"


def where(prediction: Prediction) -> list[str]:
    """Say in a few lines of text what speaks for the answer, and how to see it on the photograph."""
    if not prediction.explanation:
        return [f"nothing says where: `phytobatch status {prediction.job_id}` says why"]
    rows = ["  " + " ".join(SHADES[value * len(SHADES) // 256] * 2 for value in row) for row in prediction.explanation]
    drawn = f"`phytobatch explain {prediction.job_id} --out FOLDER` draws it"
    return ["what speaks for it, on the upright photograph (# the most):", *rows, drawn]


def _print_tiles(output: Output, tiles: TileSums) -> None:
    output.text(f"{plural(tiles.total, 'tile')}, {tiles.counted:,} of them count")
    rows = [(label, f"{count:,}", f"{count / tiles.counted:.1%}") for label, count in tiles.labels.items()]
    rows += [(reason, f"{count:,}", "") for beside in (tiles.review, tiles.skipped) for reason, count in beside.items()]
    output.table(("tiles", "number", "share"), rows, right=("number", "share"))


COMMAND = Command(
    "predict",
    "classify one image now",
    add_arguments,
    run,
    examples=(
        "phytobatch predict leaf.jpg",
        "phytobatch predict leaf.jpg --json | jq .predicted_class",
        "phytobatch predict bench.jpg --tiles auto",
    ),
)
