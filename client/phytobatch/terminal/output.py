"""The two streams: answers on stdout, messages to people on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TextIO

from phytobatch.text import json_line
from phytobatch.words import shown

if TYPE_CHECKING:
    from rich.console import Console

# What goes into a pipe or a file is not folded, so that grep finds whole names.
UNLIMITED_WIDTH = 10_000


class Output:
    """The output of a command. Knows ``--json``, ``--quiet`` and ``--no-color``; rich reads ``NO_COLOR`` itself."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False, no_color: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        # None leaves the decision to rich: NO_COLOR, TERM=dumb and no terminal all mean no colour.
        self._no_color = True if no_color else None

    @cached_property
    def errors(self) -> Console:
        """The console of stderr."""
        from phytobatch.terminal.consoles import Notes

        return Notes(stderr=True, no_color=self._no_color, highlight=False, markup=False)

    @cached_property
    def _answers(self) -> Console:
        from phytobatch.terminal.consoles import Answers

        console = Answers(no_color=self._no_color, highlight=False, markup=False)
        if not console.is_terminal:
            console.width = UNLIMITED_WIDTH
        return console

    @property
    def stream(self) -> TextIO:
        """The stream of answers."""
        return sys.stdout

    @property
    def is_live(self) -> bool:
        """True if progress can be drawn: stderr is a terminal, and not ``--quiet``."""
        return not self.quiet and self.errors.is_terminal and not self.errors.is_dumb_terminal

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
        from rich.text import Text

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
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in titles:
            justify: Literal["left", "right"] = "right" if title in right else "left"
            table.add_column(title, justify=justify, overflow="fold", no_wrap=title in whole)
        for row in rows:
            table.add_row(*(Text(shown(cell)) for cell in row))
        self._answers.print(table)

    def _say(self, text: str, *, style: str) -> None:
        from rich.text import Text

        self.errors.print(Text(text, style=style), soft_wrap=not self.errors.is_terminal)
