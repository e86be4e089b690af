"""One connection of a client: uvicorn's HTTP protocol, with bounds where it has none."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.request_parser import RequestParser
from shared.settings import Settings

log = structlog.get_logger()

# Method, version, separators: what the head of a request has besides what the limits count.
REST_OF_THE_HEAD = 8192
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a connection: the head of a request in bytes and seconds, and how slowly an answer is taken."""

    head_bytes: int
    head_seconds: float
    answer_seconds: float
    bytes_per_second: int

    @classmethod
    def of(cls, settings: Settings) -> "Bounds":
        """Take them from the settings; a head a little over its limit still gets a problem that says so."""
        return cls(
            head_bytes=settings.max_url_bytes + settings.max_header_bytes + REST_OF_THE_HEAD,
            head_seconds=settings.head_seconds,
            answer_seconds=settings.answer_seconds,
            bytes_per_second=settings.least_bytes_per_second,
        )


def bounded_http(settings: Settings) -> type["Connection"]:
    """Make the protocol for ``uvicorn.Config``, with the bounds of these settings."""
    return type("BoundedConnection", (Connection,), {"bounds": Bounds.of(settings)})


class Connection(HttpToolsProtocol):
    """A connection that ends when a head is too large or too slow, or nobody takes an answer (decision 24).

    uvicorn takes a head of any size into memory, and fields behind a body too, and waits for ever for heads and for
    readers.
    """

    bounds: ClassVar[Bounds]
    _head = 0
    _in_head = False
    _head_due: asyncio.TimerHandle | None = None
    _reader_due: asyncio.TimerHandle | None = None
    _unsent = 0
    _has_resumed = False
    _is_whole = True
    _since_body = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # what uvicorn's takes
        super().__init__(*args, **kwargs)
        self.parser: RequestParser = RequestParser(self)  # type: ignore[assignment]  # it has what uvicorn calls
        # As uvicorn: what a client sends behind its last request is passed over, and that request answered.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Start the timer of the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers of a client that is gone."""
        for timer in (self._head_due, self._reader_due):
            if timer is not None:
                timer.cancel()
        self.parser.close()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note the first byte of a request."""
        super().on_message_begin()
        self._head, self._in_head = 0, True
        self._is_whole, self._since_body = False, 0
        self._await_head()

    def on_headers_complete(self) -> None:
        """Note that the head is whole."""
        self._in_head = False
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note bytes of a body."""
        self._since_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        self._is_whole = True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Count bytes of a head or a body, and pass them on."""
        # The piece in which the head begins is not counted: it may also hold the end of the request before.
        goes_on = self._in_head
        in_body = not (self._in_head or self._is_whole)
        self._since_body += len(data)
        if self._is_idle():
            self._await_head()  # Empty lines before a request begin none, and uvicorn waits no longer for one.
        super().data_received(data)
        if goes_on and self._in_head:
            self._head += len(data)
            if self._head > self.bounds.head_bytes:
                self.send_400_response(f"address and header fields have more than {self.bounds.head_bytes} bytes")
        elif in_body and not self._is_whole and self._since_body > self.bounds.head_bytes:
            self._refuse_fields()

    def _refuse_fields(self) -> None:
        """End a body with endless fields behind it: httptools would gather them, slower with each piece."""
        if self.cycle.response_started:
            self.transport.close()
        else:
            self.send_400_response(f"fields behind the body have more than {self.bounds.head_bytes} bytes")

    def pause_writing(self) -> None:
        """Watch a client that takes its answer more slowly than it is made."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Note that it has taken what was there."""
        super().resume_writing()
        self._has_resumed = True

    def on_response_complete(self) -> None:
        """Watch a client whose answer is made, though perhaps not taken."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._await_reader()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        if self._head_due is None:
            self._head_due = self.loop.call_later(self.bounds.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_due = None
        if not self._is_idle():  # The head of the next request may wait for the answer to this one.
            self._await_head()
        elif not self.transport.is_closing():
            if self._in_head:
                self.transport.write(TOO_SLOW)
            self.transport.close()

    def _await_reader(self) -> None:
        if self._reader_due is None:
            self._unsent, self._has_resumed = self.transport.get_write_buffer_size(), False
            self._reader_due = self.loop.call_later(self.bounds.answer_seconds, self._check_reader)

    def _check_reader(self) -> None:
        """Abort when less was taken than the least rate demands, or than all of it if that is less."""
        self._reader_due = None
        left = self.transport.get_write_buffer_size()
        least = min(self._unsent, self.bounds.bytes_per_second * self.bounds.answer_seconds)
        if left and not self._has_resumed and self._unsent - left < least:
            log.info("answer_not_taken", client=(self.client or (None,))[0], unsent=left)
            self.transport.abort()
        elif left:
            self._await_reader()
