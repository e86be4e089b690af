"""httptools' parser of requests, for a server that speaks HTTP/1.1 and nothing else."""

from typing import Protocol

from httptools import HttpParserUpgrade, HttpRequestParser

# What says how long a body is (RFC 9112, section 6).
FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Listener(Protocol):
    """A listener that hears of a request, piece by piece."""

    def on_message_begin(self) -> None:
        """Hear of the first byte of a request."""

    def on_url(self, url: bytes) -> None:
        """Take a piece of its address."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field of its head."""

    def on_headers_complete(self) -> None:
        """Hear that the head is whole."""

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""

    def on_message_complete(self) -> None:
        """Hear that the body is whole."""


class RequestParser:
    """A parser that ignores a request for another protocol, and fields behind a body.

    A client may wish for HTTP/2 with any request, and Java's does with its first; a server may go on as if it had not
    (RFC 9110, 7.8). httptools takes what follows such a head for the other protocol: the body would be lost.
    Fields behind a chunked body are never merged into the head (RFC 9110, 6.5.1): a proxy that checks or sets a field
    of the head would be deceived.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = HttpRequestParser(self)
        self._in_head = False
        self._is_repeating = False
        self._framing: list[tuple[bytes, bytes]] = []

    def set_dangerous_leniencies(self, *, lenient_data_after_close: bool) -> None:
        """Set it as uvicorn does."""
        self._parser.set_dangerous_leniencies(lenient_data_after_close=lenient_data_after_close)

    def feed_data(self, data: bytes) -> None:
        """Take bytes as they came.

        Raises:
            httptools.HttpParserError: they are no request.
        """
        while True:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as wish:
                self._repeat_head()
                data = data[wish.args[0] :]
            else:
                return

    def _repeat_head(self) -> None:
        """Repeat to httptools how long the body is, as in a request without an upgrade: it has ended this one."""
        fields = b"".join(b"%s: %s\r\n" % field for field in self._framing)
        self._is_repeating = True
        self._parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % fields)

    def close(self) -> None:
        """Drop httptools' parser, which refers to this one."""
        del self._parser

    def should_upgrade(self) -> bool:
        """Return no, always."""
        return False

    def should_keep_alive(self) -> bool:
        """Return whether the client may send another request over this connection."""
        return self._parser.should_keep_alive()

    def get_http_version(self) -> str:
        """Return it as ``1.1``."""
        return self._parser.get_http_version()

    def get_method(self) -> bytes:
        """Return it as ``GET``."""
        return self._parser.get_method()

    def on_message_begin(self) -> None:
        """See ``Listener``."""
        if not self._is_repeating:
            self._in_head, self._framing = True, []
            self._listener.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """See ``Listener``."""
        if not self._is_repeating:
            self._listener.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See ``Listener``."""
        if self._in_head:
            if name.lower() in FRAMING:
                self._framing.append((name, value))
            self._listener.on_header(name, value)

    def on_headers_complete(self) -> None:
        """See ``Listener``."""
        if self._is_repeating:
            self._is_repeating = False
        else:
            self._in_head = False
            self._listener.on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """See ``Listener``."""
        self._listener.on_body(body)

    def on_message_complete(self) -> None:
        """See ``Listener``."""
        if not self._parser.should_upgrade():
            self._listener.on_message_complete()
