"""Events of a job, from its event stream."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from phytobatch.errors import ApiError, Problem
from phytobatch.moments import parse_moment
from phytobatch.resources import TERMINAL_STATES, Counts, JsonObject, Progress
from phytobatch.waiting.event_stream import ServerEvent


@dataclass(frozen=True)
class JobEvent:
    """One event of a job.

    Attributes:
        id: where to go on after it: ``events(job_id, last_event_id=event.id)``.
        type: as ``job.started``; the list stands in ``docs/http-api.md``.
        timestamp: when it happened, by the server's clock.
        data: ``state``, ``counts``, ``revision``, …; in ``job.progress`` also ``progress``.
    """

    id: str
    type: str
    timestamp: datetime
    data: JsonObject = field(repr=False)

    @classmethod
    def of(cls, event: ServerEvent) -> JobEvent:
        """Parse an event of the stream.

        Raises:
            ApiError: the stream is not that of a Phytobatch server.
        """
        try:
            body = json.loads(event.data)
            return cls(event.id, body["type"], parse_moment(body["timestamp"]), dict(body["data"]))
        except (KeyError, TypeError, ValueError) as error:
            raise unexpected_stream("The event stream has something else in it than events of a job.") from error

    @property
    def is_terminal(self) -> bool:
        """True if the job is over after it."""
        return self.state in TERMINAL_STATES

    @property
    def state(self) -> str:
        """The job's state after it."""
        return str(self.data.get("state", ""))

    @property
    def counts(self) -> Counts:
        """The job's images by status after it."""
        return Counts.from_json(self.data.get("counts") or {})

    @property
    def progress(self) -> Progress | None:
        """Speed and estimated end; None but in ``job.progress``."""
        progress = self.data.get("progress")
        return Progress.from_json(progress, self.timestamp) if progress else None


def unexpected_stream(detail: str) -> ApiError:
    """Return the error for an answer that is no event stream of Phytobatch."""
    return ApiError(Problem(200, "unexpected-answer", "Unexpected answer", detail))
