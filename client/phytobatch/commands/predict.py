"""``phytobatch predict``: classify one image and wait for the answer."""

from __future__ import annotations

import argparse
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the image")
    options.classifier_option(parser)


def run(context: Context) -> ExitCode:
    """Print the class, its confidence and the probabilities."""
    arguments = context.options
    prediction = context.client.predict(arguments.file, classifier=arguments.classifier)
    if context.output.as_json:
        context.output.document(prediction.raw)
        return ExitCode.OK
    reason = prediction.review_reason or "low_confidence"
    review = f" ({reason}: look at it yourself)" if prediction.needs_review else ""
    context.output.text(f"{prediction.predicted_class} {prediction.confidence:.1f}%{review}")
    by_size = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    context.output.table(("class", "probability"), [(name, f"{p:.4f}") for name, p in by_size], right=("probability",))
    return ExitCode.OK


COMMAND = Command(
    "predict",
    "classify one image now",
    add_arguments,
    run,
    examples=("phytobatch predict leaf.jpg", "phytobatch predict leaf.jpg --json | jq .predicted_class"),
)
