"""One answer to a conditional poll of a job."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from phytobatch.calls import job_of
from phytobatch.resources import Job
from phytobatch.transport import Answer


@dataclass(frozen=True)
class Poll:
    """The answer to a poll: ``job`` is None while nothing changed; ``retry_after`` is in seconds."""

    job: Job | None
    etag: str | None
    retry_after: float | None

    @classmethod
    def of(cls, answer: Answer, etag: str | None) -> Poll:
        """Parse the answer to a request with ``If-None-Match: etag``."""
        unchanged = answer.status == HTTPStatus.NOT_MODIFIED
        job = None if unchanged else job_of(answer)
        return cls(job, answer.headers.get("ETag") or (etag if unchanged else None), answer.retry_after)
