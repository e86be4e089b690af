"""The event stream of a job, over as many connections as it takes; none of its events is lost between them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus

from phytobatch.errors import TOO_MANY_WAITING, ApiError, NetworkError
from phytobatch.streams import Deadline, Stream
from phytobatch.transport import Request, Transport
from phytobatch.waiting.event_stream import EventStreamParser
from phytobatch.waiting.job_event import JobEvent, unexpected_stream

# The server begins with an event at once. A proxy that keeps the answer until it is whole shows here.
FIRST_SECONDS = 10.0
# The server sends a comment every 15 seconds: two of them lost, and some time for the way.
SILENCE_SECONDS = 40.0
RECONNECT_SECONDS = 2.0
MAX_RECONNECT_SECONDS = 60.0


class JobStream:
    """The position in the events of one job.

    Attributes:
        last_event_id: of the last event that came; None before the first.
        received: whether the connection that ended last brought anything.
        is_over: the server says that nothing follows the last event.
    """

    def __init__(self, transport: Transport, path: str, last_event_id: str | None = None) -> None:
        self.last_event_id = last_event_id
        self.received = False
        self.is_over = False
        self._transport = transport
        self._path = path
        self._retry_seconds: float | None = None

    @property
    def reconnect_seconds(self) -> float:
        """Seconds to wait before the next connection: the server's own number, within reason."""
        seconds = RECONNECT_SECONDS if self._retry_seconds is None else self._retry_seconds
        return min(seconds, MAX_RECONNECT_SECONDS)

    def forget(self) -> None:
        """Begin again with the job as it stands."""
        self.last_event_id = None
        self.is_over = False

    def connect(self, deadline: Deadline | None = None) -> Iterator[JobEvent | None]:
        """Yield the events of one connection until it ends; None for a keepalive that is no event.

        Raises:
            NetworkError: it could not be had, or broke, or the deadline passed.
            ApiError: the server refuses, or its answer is no event stream.
        """
        self.received = False
        until = deadline or Deadline(None)
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        stream = self._transport.open(
            Request("GET", self._path, {}, headers), read_seconds=max(0.001, min(FIRST_SECONDS, until.left))
        )
        try:
            yield from self._events(stream, until)
        finally:
            stream.close()

    def _events(self, stream: Stream, until: Deadline) -> Iterator[JobEvent | None]:
        if stream.status == HTTPStatus.NO_CONTENT:
            self.is_over = True
            return
        if not str(stream.headers.get("Content-Type", "")).startswith("text/event-stream"):
            raise unexpected_stream("The answer is no event stream; look at PHYTOBATCH_URL or --url.")
        parser = EventStreamParser(self.last_event_id or "")
        while block := stream.read(min(SILENCE_SECONDS if self.received else FIRST_SECONDS, until.left)):
            self.received = True
            events = parser.feed(block)
            self._retry_seconds = parser.retry_seconds if parser.retry_seconds is not None else self._retry_seconds
            for event in events:
                job_event = JobEvent.of(event)
                # Only now: what was not handed out must come again on the next connection.
                self.last_event_id = job_event.id or self.last_event_id
                yield job_event
            if not events:
                yield None


def follow(transport: Transport, stream: JobStream) -> Iterator[JobEvent]:
    """Yield every event until a terminal one, over reconnects with backoff as the transport's policy says.

    Raises:
        NetworkError: the server stayed away for longer than the policy's total time.
        ApiError: the server refuses.
    """
    failures, lost = 0, time.monotonic()
    while True:
        try:
            for event in stream.connect():
                failures, lost = 0, time.monotonic()
                if event is not None:
                    yield event
                    if event.is_terminal:
                        return
            if stream.is_over:
                return
            transport.sleep(stream.reconnect_seconds)
        except (NetworkError, ApiError) as error:
            if not may_reconnect(error):
                raise
            if stream.received:
                transport.sleep(stream.reconnect_seconds)
                continue
            transport.pause(error, failures, time.monotonic() - lost)
            failures += 1


def may_reconnect(error: NetworkError | ApiError) -> bool:
    """Return whether the same stream may be available later."""
    return error.retryable or (isinstance(error, ApiError) and error.code == TOO_MANY_WAITING)
