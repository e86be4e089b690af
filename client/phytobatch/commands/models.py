"""``phytobatch models``: the classifiers that the server offers."""

from __future__ import annotations

import argparse

from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.resources import Model


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """This command has no options of its own."""


def run(context: Context) -> ExitCode:
    """Print the classifiers, as a table or one JSON document per line."""
    models = context.client.models()
    if context.output.as_json:
        for model in models:
            context.output.document(model.raw)
    elif models:
        context.output.table(("classifier", "default", "classes", "description"), [_row(model) for model in models])
    else:
        context.output.note("no classifiers: no worker has announced one yet")
    return ExitCode.OK


def _row(model: Model) -> tuple[str, ...]:
    default = "yes" if model.default else ""
    return f"{model.name}@{model.version}", default, ", ".join(model.classes), model.description


COMMAND = Command("models", "list the classifiers", add_arguments, run, examples=("phytobatch models --json",))
