"""An answer that is read while it comes."""

from __future__ import annotations

import time
from collections.abc import Mapping

import urllib3
from urllib3.exceptions import HTTPError

from phytobatch.network import network_error

_BLOCK_BYTES = 64 * 1024


class Stream:
    """A 2xx answer whose body is still coming. Close it, or read it to its end.

    Attributes:
        status: HTTP status.
        headers: their names are read in any case.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, where: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._where = where

    def read(self, seconds: float) -> bytes:
        """Return what has come by now, or the next that comes within ``seconds``; empty at the end.

        Raises:
            AnswerTimeout: nothing came.
            NetworkError: the connection broke.
        """
        # A server that closes the connection after this answer leaves us without the socket; then the time that the
        # request was sent with goes on to hold.
        socket = getattr(self._response.connection, "sock", None)
        if socket is not None:
            socket.settimeout(max(seconds, 0.001))  # 0 would mean "do not wait at all", which is another error.
        try:
            return self._response.read1(_BLOCK_BYTES)
        except HTTPError as error:
            raise network_error(self._where, error) from error

    def close(self) -> None:
        """Close the connection; the server learns that nobody listens."""
        self._response.close()


class Deadline:
    """A moment on the monotonic clock; None is never."""

    def __init__(self, seconds: float | None) -> None:
        self._at = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; below 0 afterwards, infinite for never."""
        return float("inf") if self._at is None else self._at - time.monotonic()
