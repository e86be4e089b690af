"""What a submission tells while it runs. The command line shows it; a program may pass its own."""

from typing import Protocol


class Reporter(Protocol):
    """Called from several threads."""

    def note(self, text: str) -> None:
        """Something a person should know; one line."""

    def begin(self, *, files: int, size: int) -> None:
        """So many files and bytes are there in all."""

    def bytes_sent(self, count: int) -> None:
        """Bytes went out; negative when they must be sent again."""

    def file_sent(self) -> None:
        """A file is in the object store."""

    def file_passed(self, size: int) -> None:
        """A file of ``size`` bytes will not be sent: a duplicate, unreadable, refused."""

    def end(self) -> None:
        """Nothing more will be sent."""


class Silence:
    """A reporter that tells nobody."""

    def note(self, text: str) -> None:
        """Nothing."""

    def begin(self, *, files: int, size: int) -> None:
        """Nothing."""

    def bytes_sent(self, count: int) -> None:
        """Nothing."""

    def file_sent(self) -> None:
        """Nothing."""

    def file_passed(self, size: int) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""
