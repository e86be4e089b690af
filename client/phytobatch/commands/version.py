"""``phytobatch version``: which client this is."""

from __future__ import annotations

import argparse
import platform

from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.transport import package_version


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: this command has no options of its own."""


def run(context: Context) -> ExitCode:
    """Print the version; asks no server."""
    if context.output.as_json:
        context.output.document({"version": package_version(), "python": platform.python_version()})
    else:
        context.output.text(f"phytobatch {package_version()} (Python {platform.python_version()})")
    return ExitCode.OK


COMMAND = Command("version", "show the version", add_arguments, run, examples=("phytobatch version",))
