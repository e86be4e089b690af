"""The two streams: answers on stdout, everything else that a person is told on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from phytobatch.text import json_line
from phytobatch.words import shown

# What goes into a pipe or a file is not folded, so that grep finds whole names.
UNLIMITED_WIDTH = 10_000


class Answers(Console):
    """The console of stdout."""

    def on_broken_pipe(self) -> None:
        """Raise: the reader of our answer has closed it; rich would end the program with 1.

        Raises:
            BrokenPipeError: always; ``phytobatch.cli`` ends the command.
        """
        raise BrokenPipeError


class Notes(Console):
    """The console of stderr."""

    def on_broken_pipe(self) -> None:
        """Continue in silence: a submission does not end because nobody reads its progress."""
        self.quiet = True
        let_go(sys.stderr)


def let_go(stream: TextIO) -> None:
    """Redirect a stream that nobody reads to nowhere, so that Python prints no error at its end."""
    with suppress(OSError, ValueError):  # a stream without a file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Output:
    """The output of a command. Knows ``--json``, ``--quiet`` and ``--no-color``; rich reads ``NO_COLOR`` itself."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, no_color: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        # None leaves the decision to rich: NO_COLOR, TERM=dumb and no terminal all mean no colour.
        color = True if no_color else None
        self.errors: Console = Notes(stderr=True, no_color=color, highlight=False, markup=False)
        self._answers = Answers(no_color=color, highlight=False, markup=False)
        if not self._answers.is_terminal:
            self._answers.width = UNLIMITED_WIDTH

    @property
    def stream(self) -> TextIO:
        """The stream of answers."""
        return sys.stdout

    @property
    def is_live(self) -> bool:
        """True if progress can be drawn: stderr is a terminal, and not ``--quiet``."""
        return self.errors.is_terminal and not self.errors.is_dumb_terminal and not self.quiet

    def note(self, text: str) -> None:
        """Print something that a person may want to know; not with ``--quiet``."""
        if not self.quiet:
            self._say(shown(text), style="")

    def warn(self, text: str) -> None:
        """Print something that a person must know."""
        self._say(shown(text), style="yellow")

    def error(self, text: str) -> None:
        """Print why the command ends."""
        self._say(f"phytobatch: {shown(text)}", style="red")

    def document(self, data: Mapping[str, Any]) -> None:
        """Print one JSON document on a line of its own."""
        self.stream.write(json_line(data, self.stream) + "\n")
        self.stream.flush()

    def text(self, line: str) -> None:
        """Print a line of the answer."""
        self._answers.print(Text(shown(line)), soft_wrap=True)

    def table(
        self,
        titles: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Sequence[str] = (),
        whole: Sequence[str] = (),
    ) -> None:
        """Print a table of the answer; columns named in ``right`` are numbers, those in ``whole`` are never folded."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in titles:
            justify: Literal["left", "right"] = "right" if title in right else "left"
            table.add_column(title, justify=justify, overflow="fold", no_wrap=title in whole)
        for row in rows:
            table.add_row(*(Text(shown(cell)) for cell in row))
        self._answers.print(table)

    def _say(self, text: str, *, style: str) -> None:
        self.errors.print(Text(text, style=style), soft_wrap=not self.errors.is_terminal)
