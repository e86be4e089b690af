"""Progress of a submission. The command line shows it; a program may pass its own reporter."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """A receiver of progress; called from several threads."""

    def note(self, text: str) -> None:
        """Report something that a person should know; one line."""

    def begin(self, *, files: int, size: int) -> None:
        """Report the number of files and bytes in all."""

    def bytes_sent(self, count: int) -> None:
        """Report bytes that went out; negative when they must be sent again."""

    def file_sent(self) -> None:
        """Report a file that is in the object store."""

    def file_passed(self, size: int) -> None:
        """Report a file of ``size`` bytes that will not be sent: a duplicate, unreadable, refused."""

    def end(self) -> None:
        """Report the end: nothing more will be sent."""


class Silence:
    """A reporter without output."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def begin(self, *, files: int, size: int) -> None:
        """Do nothing."""

    def bytes_sent(self, count: int) -> None:
        """Do nothing."""

    def file_sent(self) -> None:
        """Do nothing."""

    def file_passed(self, size: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
