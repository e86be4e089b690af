"""``?wait=``: hold the answer back until there is something to say."""

import asyncio
import uuid
from contextlib import closing
from dataclasses import dataclass

from fastapi import Request

from api.limits.shares import Holder
from api.waiting.hub import Hub
from api.waiting.presence import listening
from api.waiting.snapshot import Snapshot
from api.wire.etag import is_fresh
from shared.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits, and which entity tags it has."""

    seconds: float
    if_none_match: str | None

    def is_content(self, snapshot: Snapshot) -> bool:
        """Whether the client wants this at once: what differs from its own, or, if it has none, the end."""
        if self.if_none_match is None:
            return snapshot.is_over
        return not is_fresh(self.if_none_match, snapshot.etag)


def check_wait(seconds: float, *, most: float) -> None:
    """Compare with the setting.

    Raises:
        LimitExceeded: nobody may wait for so long.
    """
    if seconds > most:
        raise LimitExceeded(
            f"`wait` is at most {most:g} seconds; wait for less and ask again", setting="PHYTOBATCH_MAX_WAIT_SECONDS"
        )


async def wait_for(hub: Hub, request: Request, holder: Holder, job_id: uuid.UUID, patience: Patience) -> Snapshot:
    """The job as soon as the client is content with it; as it is, when the time is over or the server stops.

    Raises:
        NotFound: this tenant has no such job, or no longer.
        DatabaseUnavailable: Postgres is away, and was when the wait began.
        TooManyAtATime: as many of this key or tenant wait already as may.
        TooManyWaiting: as many wait already as may.
    """
    until = asyncio.get_running_loop().time() + patience.seconds
    with closing(hub.watch(holder, job_id)) as watch:
        snapshot = await watch.first()
        async with listening(request.receive, watch):
            while not patience.is_content(snapshot) and await watch.news(until):
                snapshot = watch.snapshot
        return snapshot
