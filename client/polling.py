"""Waiting for a job by asking: ``ETag`` and ``If-None-Match`` keep answers small, ``Retry-After`` sets the pace."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from client.errors import WaitTimeout
from client.resources import Job

DEFAULT_PAUSE_SECONDS = 2.0
SHORTEST_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Poll:
    """One answer: ``job`` is None while nothing changed; ``retry_after`` in seconds."""

    job: Job | None
    etag: str | None
    retry_after: float | None


def wait_until_terminal(
    poll: Callable[[str, str | None], Poll],
    job_id: str,
    *,
    timeout: float | None,
    on_change: Callable[[Job], None] | None,
    sleep: Callable[[float], object] = time.sleep,
) -> Job:
    """Call ``poll(job_id, etag)`` until it answers with a terminal job, and return that.

    Raises:
        WaitTimeout: ``timeout`` seconds are over.
    """
    started = time.monotonic()
    etag: str | None = None
    while True:
        answer = poll(job_id, etag)
        etag = answer.etag
        if answer.job is not None:
            if on_change is not None:
                on_change(answer.job)
            if answer.job.is_terminal:
                return answer.job
        pause = max(SHORTEST_PAUSE_SECONDS, answer.retry_after or DEFAULT_PAUSE_SECONDS)
        if timeout is not None and time.monotonic() - started + pause > timeout:
            raise WaitTimeout(f"Job {job_id} did not end within {timeout:g} seconds. It goes on by itself.")
        sleep(pause)
