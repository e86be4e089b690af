"""The consoles of rich, apart: a command that draws nothing does not wait for the import of rich."""

from __future__ import annotations

import sys

from rich.console import Console

from phytobatch.terminal.streams import let_go


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
