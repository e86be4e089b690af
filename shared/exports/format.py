"""A format of exports: its names and the function that writes it."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.contracts.exports import ExportFormat
from shared.exports.sheet import Sheet


class Encode(Protocol):
    """From pages to the bytes of a file, piece by piece, in constant memory.

    Text is made while it is read. What needs to go back in its file uses a temporary one, and is read from there.
    """

    def __call__(self, sheet: Sheet, pages: Iterator[list[Any]]) -> Generator[bytes, None, None]:
        """Yield the pieces of the file, of any size.

        Raises:
            InvalidRequest: the format cannot hold this (``export-does-not-fit``).
        """


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table of formats. ``accepts``: other names that clients have for the media type."""

    name: ExportFormat
    media_type: str
    suffix: str
    encode: Encode
    accepts: tuple[str, ...] = field(default=())
