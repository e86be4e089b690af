"""The HTTP server: uvicorn, which lets waiting clients go before it waits for what is in flight."""

import resource
import socket
from collections.abc import Callable

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.settings import Settings

log = structlog.get_logger()

# Method, version, separators: what the head of a request has besides what the limits count.
REST_OF_THE_HEAD = 8192


def head_bytes(settings: Settings) -> int:
    """Most bytes in the head of a request; what is a little over a limit still gets a problem that says so."""
    return settings.max_url_bytes + settings.max_header_bytes + REST_OF_THE_HEAD


def bounded_http(most_bytes: int) -> type[HttpToolsProtocol]:
    """The HTTP protocol of uvicorn, which would take a head of any size into memory; this one ends it."""

    class Bounded(HttpToolsProtocol):
        _head = 0
        _in_head = False

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head, self._in_head = 0, True

        def on_headers_complete(self) -> None:
            self._in_head = False
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            # The piece in which the head begins is not counted: it may also hold the end of the request before.
            goes_on = self._in_head
            super().data_received(data)
            if goes_on and self._in_head:
                self._head += len(data)
                if self._head > most_bytes:
                    self.send_400_response(f"address and header fields have more than {most_bytes} bytes")

    return Bounded


class Server(uvicorn.Server):
    """Uvicorn calls the lifespan's end only after the last answer, so those who wait must be told earlier."""

    def __init__(self, config: uvicorn.Config, *, end_waiting: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_waiting = end_waiting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the service, then listen, and say where; uvicorn says it only of sockets that it makes itself."""
        await super().startup(sockets)
        if sockets and self.started:
            log.info("api_running", addresses=[address_of(one) for one in sockets])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all waiting, then close what is open."""
        self._end_waiting()
        await super().shutdown(sockets)


def address_of(listening: socket.socket) -> str:
    """Give where a socket listens, as ``http://[::1]:8000``."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if listening.family == socket.AF_INET6 else f"http://{host}:{port}"


def allow_open_files(wanted: int) -> None:
    """Let this process have so many open files, if its hard limit allows it; every client is one.

    Most systems start programs with a soft limit of 1,024, for the sake of ``select``, which nothing here uses.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
