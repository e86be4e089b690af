"""``phytobatch classifiers``: the classifiers that the server offers. ``phytobatch models`` is its older name."""

from __future__ import annotations

import argparse

from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.resources import Classifier


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: this command has no options of its own."""


def run(context: Context) -> ExitCode:
    """Print the classifiers, as a table or one JSON document per line."""
    classifiers = context.client.classifiers()
    if context.output.as_json:
        for one in classifiers:
            context.output.document(one.raw)
    elif classifiers:
        context.output.table(("classifier", "default", "classes", "description"), [_row(one) for one in classifiers])
    else:
        context.output.note("no classifiers: no worker has announced one yet")
    return ExitCode.OK


def _row(one: Classifier) -> tuple[str, ...]:
    return f"{one.name}@{one.version}", "yes" if one.default else "", ", ".join(one.classes), one.description


COMMAND = Command(
    "classifiers", "list the classifiers", add_arguments, run, examples=("phytobatch classifiers --json",)
)
OLDER = Command("models", "list the classifiers (deprecated: use classifiers)", add_arguments, run, COMMAND.examples)
