"""Pieces: a library writes whole files, and an export is read piece by piece."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
PIECE_BYTES = 1024 * 1024


def pieces_of(path: Path) -> Generator[bytes, None, None]:
    """Yield a file, a megabyte at a time."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


class Remembering(Generic[T]):
    """An iterator that keeps the error that ended it: a library in between would wrap it in one of its own."""

    def __init__(self, source: Iterable[T]) -> None:
        self._source = iter(source)
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return next(self._source)
        except StopIteration:
            raise
        except Exception as error:
            self._error = error
            raise

    @contextmanager
    def own_errors(self) -> Iterator[None]:
        """Raise the source's error instead of what the library makes of it."""
        try:
            yield
        except Exception:
            if self._error is not None:
                raise self._error from None
            raise
