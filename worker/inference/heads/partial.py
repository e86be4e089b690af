"""A file of which only some parts are fetched: those that somebody looks at, in few and bounded pieces."""

from collections.abc import Callable
from dataclasses import dataclass

MAX_FETCHES = 6  # besides the first bytes; a photograph of a drone needs none, a TIFF with its directory at the end one
# Thermal cameras write a megabyte of segments before the picture: each fetch behind another one is twice as long.
MAX_FETCH_BYTES = 1024 * 1024


class HeadEnded(Exception):
    """The head needs more of the file than is fetched for it, or the file is shorter than was announced."""


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    content: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.content)


class PartialFile:
    """A file in an object store; ``Sliced``, so the readers of metadata take it for a whole one.

    ``fetches`` and ``fetched_bytes`` count the reads, the first one among them.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], *, first_bytes: int) -> None:
        """Fetch the first bytes.

        Args:
            size: of the whole file.
            fetch: takes a start and a length, and returns those bytes of the file; fewer at its end.
            first_bytes: the number of bytes of the first read, which is also the least of another one.
        """
        self._fetch = fetch
        self._step = first_bytes
        self.fetches, self.fetched_bytes = 0, 0
        self._parts: list[_Part] = []
        first = self._read(0, min(size, first_bytes))
        # It is the file that counts; who decodes it finds that it is shorter.
        self._size = size if len(first.content) == min(size, first_bytes) else len(first.content)

    def __len__(self) -> int:
        """Return the size of the whole file."""
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        """Return a part of the file, as ``bytes`` does.

        Raises:
            HeadEnded: it was not fetched yet, and the limits allow no more.
        """
        start, stop, _ = part.indices(self._size)
        if start >= stop:
            return b""
        for known in self._parts:
            if known.start <= start and stop <= known.end:
                return known.content[start - known.start : stop - known.start]
        fetched = self._more(start, stop)
        return fetched.content[start - fetched.start : stop - fetched.start]

    def _more(self, start: int, stop: int) -> _Part:
        length = max(stop - start, self._length_at(start))
        if self.fetches > MAX_FETCHES or stop - start > MAX_FETCH_BYTES:
            raise HeadEnded
        # At the end of a file, what belongs together may stand before what names it.
        begin = start if start + length <= self._size else max(0, min(start, self._size - self._step))
        end = min(start + length, self._size)
        part = self._read(begin, end - begin)
        if part.end < stop:
            raise HeadEnded
        return part

    def _length_at(self, start: int) -> int:
        last = self._parts[-1]
        goes_on = last.start < start <= last.end + self._step
        return min(MAX_FETCH_BYTES, 2 * len(last.content)) if goes_on else self._step

    def _read(self, start: int, length: int) -> _Part:
        part = _Part(start, self._fetch(start, length)[:length] if length else b"")
        self.fetches += 1
        self.fetched_bytes += len(part.content)
        self._parts.append(part)
        return part
