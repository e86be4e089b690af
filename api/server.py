"""The HTTP server: uvicorn, which releases waiting clients before it waits for requests in flight."""

import resource
import socket
from collections.abc import Callable

import structlog
import uvicorn

log = structlog.get_logger()


class Server(uvicorn.Server):
    """A server that ends waiting early: uvicorn calls the lifespan's end only after the last answer."""

    def __init__(self, config: uvicorn.Config, *, end_waiting: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_waiting = end_waiting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the service, listen, and log the addresses; uvicorn logs only those of sockets that it makes itself."""
        await super().startup(sockets)
        if sockets and self.started:
            log.info("api_running", addresses=[address_of(one) for one in sockets])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all waiting, then close what is open."""
        self._end_waiting()
        await super().shutdown(sockets)


def address_of(listening: socket.socket) -> str:
    """Return the address of a listening socket, as ``http://[::1]:8000``."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if listening.family == socket.AF_INET6 else f"http://{host}:{port}"


def allow_open_files(number: int) -> None:
    """Let this process have so many open files, if its hard limit allows it; every client is one.

    Most systems start programs with a soft limit of 1,024, for the sake of ``select``, which nothing here uses.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
