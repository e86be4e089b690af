"""The form of an operator command."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


def no_arguments(_: argparse.ArgumentParser) -> None:
    """Add no argument: for commands that take none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The output of a command that searches for faults: ``status`` is 1 when it found one."""

    text: str
    status: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``run`` takes the parsed arguments and returns the text to print; it raises ``PhytobatchError``."""

    name: str
    help: str
    run: Callable[[argparse.Namespace], str | Verdict]
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
