"""Holding an answer back until there is something new: ``?wait=`` and ``POST /predict``."""

import asyncio
import uuid
from contextlib import closing
from dataclasses import dataclass

from fastapi import Request

from api.limits.shares import Holder
from api.waiting.hub import Hub, Purpose
from api.waiting.presence import leaving_with_client
from api.waiting.snapshot import Snapshot
from api.wire.etag import is_fresh
from shared.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Patience:
    """The seconds that a client waits, the entity tags that it has, and its purpose."""

    seconds: float
    if_none_match: str | None = None
    purpose: Purpose = Purpose.STATE

    def is_satisfied_by(self, snapshot: Snapshot) -> bool:
        """Return whether the client gets this at once: a job that differs from its own, or, without one, the end."""
        if self.if_none_match is None:
            return snapshot.is_over
        return not is_fresh(self.if_none_match, snapshot.etag)


def check_wait(seconds: float, *, max_seconds: float) -> None:
    """Compare with the setting.

    Raises:
        LimitExceeded: nobody may wait for so long.
    """
    if seconds > max_seconds:
        raise LimitExceeded(
            f"`wait` is at most {max_seconds:g} seconds; wait for less and ask again",
            setting="PHYTOBATCH_MAX_WAIT_SECONDS",
        )


async def wait_for(hub: Hub, request: Request, holder: Holder, job_id: uuid.UUID, patience: Patience) -> Snapshot:
    """Return the job as soon as it satisfies the client; as it stands, when the time is over.

    Raises:
        NotFound: this tenant has no such job, or no longer.
        DatabaseUnavailable: Postgres is away, and was when the wait began.
        TooManyAtATime: as many of this key or tenant wait already as may.
        TooManyWaiting: as many wait already as may.
    """
    until = asyncio.get_running_loop().time() + patience.seconds
    with closing(hub.watch(holder, job_id, patience.purpose)) as watch:
        snapshot = await watch.first()
        async with leaving_with_client(request.receive, watch):
            while not patience.is_satisfied_by(snapshot) and await watch.news(until):
                snapshot = watch.snapshot
        return snapshot
