"""The end of waiting when the client leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.types import Receive

from api.waiting.hub import Watch


@asynccontextmanager
async def leaving_with_client(receive: Receive, watch: Watch) -> AsyncIterator[None]:
    """Wake the watch when its client leaves.

    Not left to ``StreamingResponse``, which notices it only with the next thing it sends on servers that speak ASGI
    2.4: with a heartbeat, long after.
    """
    listener = asyncio.create_task(_until_left(receive, watch))
    try:
        yield
    finally:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


async def _until_left(receive: Receive, watch: Watch) -> None:
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        watch.leave()
