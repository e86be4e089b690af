"""The HTTP server: uvicorn, which lets waiting clients go before it waits for what is in flight."""

import resource
import socket
from collections.abc import Callable

import uvicorn


class Server(uvicorn.Server):
    """Uvicorn calls the lifespan's end only after the last answer, so those who wait must be told earlier."""

    def __init__(self, config: uvicorn.Config, *, end_waiting: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_waiting = end_waiting

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all waiting, then close what is open."""
        self._end_waiting()
        await super().shutdown(sockets)


def allow_open_files(wanted: int) -> None:
    """Let this process have so many open files, if its hard limit allows it; every client is one.

    Most systems start programs with a soft limit of 1,024, for the sake of ``select``, which nothing here uses.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
