"""What an operator command is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


def no_arguments(_: argparse.ArgumentParser) -> None:
    """For commands that take none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is printed by a command that looks for faults: ``status`` is 1 where it found one."""

    text: str
    status: int


@dataclass(frozen=True, slots=True)
class Command:
    """``run`` gets the parsed arguments, and returns what is printed; it raises ``PhytobatchError`` with a sentence."""

    name: str
    help: str
    run: Callable[[argparse.Namespace], str | Verdict]
    arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
