"""The two streams: answers on stdout, everything that is said to a person meanwhile on stderr."""

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
        """Whoever read our answer has seen enough; rich would end the program with 1.

        Raises:
            BrokenPipeError: always; ``phytobatch.cli`` ends the command.
        """
        raise BrokenPipeError


class Notes(Console):
    """The console of stderr."""

    def on_broken_pipe(self) -> None:
        """Go on in silence: a submission does not end because nobody reads how far it is."""
        self.quiet = True
        let_go(sys.stderr)


def let_go(stream: TextIO) -> None:
    """Let what is left in a stream that nobody reads go nowhere, so that Python has nothing to say at its end."""
    with suppress(OSError, ValueError):  # a stream without a file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Output:
    """Knows ``--json``, ``--quiet`` and ``--no-color``; rich looks at ``NO_COLOR`` itself."""

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
        """Where answers go."""
        return sys.stdout

    @property
    def is_live(self) -> bool:
        """Whether progress can be drawn: a person looks at a terminal and wants to see it."""
        return self.errors.is_terminal and not self.errors.is_dumb_terminal and not self.quiet

    def note(self, text: str) -> None:
        """Something that a person may want to know; not with ``--quiet``."""
        if not self.quiet:
            self._say(shown(text), style="")

    def warn(self, text: str) -> None:
        """Something that a person must know."""
        self._say(shown(text), style="yellow")

    def error(self, text: str) -> None:
        """Why the command ends."""
        self._say(f"phytobatch: {shown(text)}", style="red")

    def document(self, data: Mapping[str, Any]) -> None:
        """One JSON document on a line of its own."""
        self.stream.write(json_line(data, self.stream) + "\n")
        self.stream.flush()

    def text(self, line: str) -> None:
        """A line of the answer."""
        self._answers.print(Text(shown(line)), soft_wrap=True)

    def table(
        self,
        titles: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        right: Sequence[str] = (),
        whole: Sequence[str] = (),
    ) -> None:
        """A table of the answer; columns named in ``right`` are numbers, those in ``whole`` are never folded."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in titles:
            justify: Literal["left", "right"] = "right" if title in right else "left"
            table.add_column(title, justify=justify, overflow="fold", no_wrap=title in whole)
        for row in rows:
            table.add_row(*(Text(shown(cell)) for cell in row))
        self._answers.print(table)

    def _say(self, text: str, *, style: str) -> None:
        self.errors.print(Text(text, style=style), soft_wrap=not self.errors.is_terminal)
