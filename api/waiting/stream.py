"""The event stream of a job: server-sent events (WHATWG HTML, section 9.2) with ids that a client can go on from."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from api.waiting.hub import Watch
from api.waiting.presence import leaving_with_client
from api.waiting.snapshot import Snapshot, StreamEvent
from shared.errors import NotFound
from shared.settings import Settings

REVISION = re.compile("[0-9]{1,19}")
RECONNECT_MILLISECONDS = 2000
HEARTBEAT = format_sse_event(comment="nothing new")
# Proxies must not keep events back (nginx takes this header from the answer).
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(slots=True)
class Cursor:
    """The place in the events of a job up to which a client has them."""

    revision: int | None
    position: int | None = None

    def is_at_end(self, snapshot: Snapshot) -> bool:
        """Return whether the job is over and its client knows."""
        return snapshot.is_over and self.revision is not None and not self._new(snapshot)

    def take(self, snapshot: Snapshot) -> Sequence[bytes]:
        """Return the frames to send now: every new event, and the progress of the job, if they do not say it."""
        events = self._new(snapshot)
        if events:
            self.revision, self.position = events[-1].revision, None
        newest = (snapshot.revision, snapshot.position)
        if (self.revision, self.position) != newest and not (events and snapshot.is_over):
            self.revision, self.position = newest
            events = (*events, snapshot.progress)
        return [one.frame for one in events]

    def _new(self, snapshot: Snapshot) -> Sequence[StreamEvent]:
        """Return the events that the client does not have; a new one gets no history, only the end."""
        if self.revision is None:
            return snapshot.events[-1:] if snapshot.is_over else ()
        after = self.revision
        return tuple(one for one in snapshot.events if one.revision > after)


def cursor_of(last_event_id: str | None, snapshot: Snapshot) -> Cursor:
    """Return the place at which a client goes on. An id that this job cannot have given counts as none."""
    if last_event_id is None or not REVISION.fullmatch(last_event_id):
        return Cursor(None)
    revision = int(last_event_id)
    return Cursor(revision if revision <= snapshot.revision else None)


class EventStream(EventSourceResponse):
    """The events of a job until it is over, the client leaves, or the time of a stream is up."""

    def __init__(self, watch: Watch, snapshot: Snapshot, cursor: Cursor, settings: Settings) -> None:
        super().__init__(_frames(watch, snapshot, cursor, settings), headers=HEADERS)
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Answer, and stop waiting, however it ends."""
        with closing(self._watch):
            async with leaving_with_client(receive, self._watch):
                await self.stream_response(send)


async def _frames(watch: Watch, snapshot: Snapshot, cursor: Cursor, settings: Settings) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.stream_seconds
    yield format_sse_event(retry=RECONNECT_MILLISECONDS)
    while True:
        if frames := cursor.take(snapshot):
            yield b"".join(frames)
        if snapshot.is_over:
            return
        while not await watch.news(min(end, loop.time() + settings.stream_heartbeat_seconds)):
            if watch.is_over or loop.time() >= end:
                return
            yield HEARTBEAT
        try:
            snapshot = watch.snapshot
        except NotFound:
            return
