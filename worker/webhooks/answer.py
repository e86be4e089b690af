"""The reader of a receiver's answer, with bounds on its size.

The status decides whether an event was delivered, so an answer is read leniently as long as its status is clear: a
receiver that answered 200 has the event, however long, odd or wrong the rest of the answer is (RFC 9112, sections 2.2,
4 and 6.3 leave much of that to the recipient). The connection is not reused, so no byte can be taken for another
answer.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_BODY = 64 * 1024
# Bytes of the status line and header fields of one answer; nothing is read after them, and the status counts.
MAX_HEAD = 64 * 1024
# Answers of 1xx before the real one.
MAX_INTERIM = 32
MAX_CHUNK_LINE = 4096
EXCERPT = 1024
MAX_RETRY_AFTER = 86_400.0
PIECE = 16 * 1024
INTERIM = range(100, 200)
SWITCHING = 101
BODILESS = frozenset({204, 205, 304})
STATUS_LINE = re.compile(rb"HTTP/[0-9](?:\.[0-9])? +([1-9][0-9]{2})(?![0-9])", re.IGNORECASE)
BEGINNING = b"HTTP/"
LENGTH = re.compile(rb"(?:^|,)[ \t]*([0-9]{1,18})[ \t]*(?=,|$)")
HEAD_END = re.compile(rb"\r?\n\r?\n")


class AnswerBroken(Exception):
    """Something that is not an answer of HTTP/1, or that ended within its head."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and header fields of an answer, names in lower case; ``whole`` is false if it was cut at ``MAX_HEAD``."""

    status: int
    fields: dict[bytes, list[bytes]]
    whole: bool

    def first(self, name: bytes) -> str | None:
        """Return the first value of a field, or None."""
        values = self.fields.get(name)
        return values[0].decode("latin-1") if values else None

    @property
    def is_chunked(self) -> bool:
        """True if the body comes in chunks (RFC 9112, 6.1)."""
        codings = b",".join(self.fields.get(b"transfer-encoding", []))
        return codings.rpartition(b",")[2].strip().lower() == b"chunked"

    @property
    def length(self) -> int | None:
        """Bytes of the body; the smallest of several lengths; ``None``: until the connection ends."""
        lengths = b",".join(self.fields.get(b"content-length", []))
        return min((int(number) for number in LENGTH.findall(lengths)), default=None)


class AnswerReader:
    """A reader of one answer from a connection."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def head(self) -> Head:
        """Read the head of the answer, past interim answers (1xx).

        Raises:
            AnswerBroken: it is not HTTP/1, or the connection ended in it.
            ssl.SSLError: TLS broke.
        """
        for _ in range(MAX_INTERIM):
            head = await self._head()
            if head.status not in INTERIM or head.status == SWITCHING:
                return head
        raise AnswerBroken("nothing but interim answers")

    async def body(self, head: Head, into: bytearray) -> bool:
        """Read at most ``MAX_BODY`` bytes of the body into ``into``, which also has them if an exception is raised.

        Returns:
            True if that was the end of the answer.

        Raises:
            OSError: the connection broke.
        """
        if not head.whole:
            return False
        if head.status in BODILESS:  # RFC 9110, 15.3.5: what comes all the same means nothing.
            return not self._buffer
        if head.is_chunked:
            return await self._chunks(into)
        return await self._take(head.length, into)

    async def _head(self) -> Head:
        while True:
            self._drop_empty_lines()
            end = HEAD_END.search(self._buffer)
            if end is not None:
                head = _parse(bytes(self._buffer[: end.start()]), whole=True)
                del self._buffer[: end.end()]
                return head
            if not BEGINNING.startswith(self._buffer[: len(BEGINNING)].upper()):
                raise AnswerBroken("it does not begin as an answer of HTTP/1")
            if len(self._buffer) > MAX_HEAD:
                return _parse(bytes(self._buffer), whole=False)
            try:
                more = await self._more()
            except ssl.SSLError:
                raise
            except OSError as error:
                raise AnswerBroken("the connection broke in the head") from error
            if not more:
                raise AnswerBroken("the connection ended in the head")

    def _drop_empty_lines(self) -> None:
        """Drop empty lines before a message (RFC 9112, 2.2)."""
        del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]

    async def _more(self) -> bool:
        piece = await self._stream.read(PIECE)
        self._buffer += piece
        return bool(piece)

    async def _take(self, length: int | None, into: bytearray) -> bool:
        """Move ``length`` bytes into ``into``, or all until the end; True if they fit below ``MAX_BODY``."""
        while length is None or length > 0:
            room = MAX_BODY - len(into)
            piece = self._buffer[: room if length is None else min(room, length)]
            del self._buffer[: len(piece)]
            into += piece
            length = None if length is None else length - len(piece)
            if length == 0:
                break
            if len(into) >= MAX_BODY:
                return False
            if not piece and not await self._more():
                return length is None
        return True

    async def _chunks(self, into: bytearray) -> bool:
        """Read chunks (RFC 9112, 7.1); trailers and extensions are ignored."""
        while True:
            line = await self._line()
            size = re.match(rb"[0-9a-fA-F]{1,16}", line)
            if size is None:
                return False
            if int(size[0], 16) == 0:
                return True
            if not await self._take(int(size[0], 16), into):
                return False
            await self._line()

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n", 0, MAX_CHUNK_LINE)) < 0:
            if len(self._buffer) >= MAX_CHUNK_LINE or not await self._more():
                return b""
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line


def _parse(head: bytes, *, whole: bool) -> Head:
    first, *lines = head.split(b"\n")
    status = STATUS_LINE.match(first)
    if status is None:
        raise AnswerBroken("it has no status line")
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.strip().lower(), []).append(value.strip())
    return Head(int(status[1]), fields, whole)


def excerpt(body: bytes | bytearray) -> str | None:
    """Return the beginning of a body as text that Postgres can store; None if it is empty."""
    return body[:EXCERPT].decode(errors="replace").replace("\0", "") or None


def retry_after(value: str | None, *, now: float) -> float | None:
    """Return the seconds to wait by a ``Retry-After`` header, a number or a date; at most a day, None for nonsense.

    Args:
        value: the header (RFC 9110, 10.2.3).
        now: Unix seconds.
    """
    if value is None:
        return None
    text = value.strip()
    seconds = float(text) if text.isascii() and text.isdecimal() else _until(text, now)
    if seconds is None or seconds < 0:
        return None
    return min(seconds, MAX_RETRY_AFTER)


def _until(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # HTTP has dates in GMT only.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return None
