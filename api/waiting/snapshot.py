"""A job at one moment, in the form in which every client that waits for it gets it."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from fastapi.sse import format_sse_event

from api.wire.etag import etag_of
from api.wire.jobs import job_seen, progress_out
from shared.contracts.states import TERMINAL_STATES, EventType
from shared.jobs.progress import event_data
from shared.jobs.queries import JobDetail
from shared.webhooks.body import encode, envelope

# Speed and estimated end follow from the time; the text with them is made again when it is older than this.
TEXT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event as the stream has it: encoded once, sent to every client."""

    revision: int
    frame: bytes

    @classmethod
    def of(
        cls, event_type: str, created_at: datetime, data: Mapping[str, Any], *, revision: int, public_url: str | None
    ) -> "StreamEvent":
        """Encode an event as it was recorded."""
        text = encode(envelope(event_type, created_at, data, public_url=public_url)).decode()
        return cls(revision, format_sse_event(id=str(revision), event=event_type, data_str=text))


@dataclass(frozen=True)
class Snapshot:
    """A job, read at one moment.

    ``events`` are its events, oldest first, without ``job.progress``, up to the revision ``events_until``. They are
    loaded only when a client has a stream of this job.
    """

    row: JobDetail
    public_url: str | None = None
    events: tuple[StreamEvent, ...] = ()
    events_until: int = 0
    _read_at: float = field(default_factory=time.monotonic)
    _text: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def tenant_id(self) -> uuid.UUID:
        """The tenant that owns the job."""
        return self.row.job.tenant_id

    @property
    def revision(self) -> int:
        """Number of the last change of the job's row."""
        return self.row.job.revision

    @property
    def position(self) -> int | None:
        """Place in the queue, while the job is there."""
        return self.row.queue_position

    @property
    def standing(self) -> tuple[int, int | None, bool]:
        """The parts that show a change: revision, place in the queue, whether the job is paused."""
        return (self.revision, self.position, self.row.paused)

    @property
    def is_over(self) -> bool:
        """True for a terminal job."""
        return self.row.job.state in TERMINAL_STATES

    @cached_property
    def etag(self) -> str:
        """Entity tag of the job, its place in the queue, and whether it is paused."""
        return etag_of(self.row.job, self.position, paused=self.row.paused)

    def text(self) -> bytes:
        """Return the job as JSON, encoded at most once a second for all clients."""
        now = time.monotonic()
        if not self._text or now - self._text[0][0] > TEXT_SECONDS:
            self._text[:] = [(now, job_seen(self.row, self._database_time(now)).model_dump_json().encode())]
        return self._text[0][1]

    @cached_property
    def progress(self) -> StreamEvent:
        """The job as it stands, as an event."""
        now = self.row.read_at
        data = {**event_data(self.row.job), "progress": progress_out(self.row, now).model_dump(mode="json")}
        return StreamEvent.of(EventType.JOB_PROGRESS, now, data, revision=self.revision, public_url=self.public_url)

    def _database_time(self, now: float) -> datetime:
        """Return the time of the database's clock at ``now``."""
        return self.row.read_at + timedelta(seconds=now - self._read_at)
