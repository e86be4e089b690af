"""Waiting for the end of a job, by the best way that the server and any proxy before it allow.

1. Its event stream: every change at once.
2. Where there is none (an old server, a proxy that keeps answers until they are whole): ``GET ...?wait=30`` with
   ``ETag``, which is answered at the next change.
3. Where that is not held either: the same question again and again, at the pace that ``Retry-After`` sets.

Whatever breaks on the way is followed by a plain question, which is repeated as patiently as the connection's policy
says. So there is one place that waits for a lost network, and a lost event costs a minute at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from phytobatch.errors import AnswerTimeout, ApiError, LimitExceeded, NetworkError, WaitTimeout
from phytobatch.resources import Job
from phytobatch.streams import Deadline
from phytobatch.waiting.job_event import JobEvent
from phytobatch.waiting.job_stream import JobStream, may_reconnect
from phytobatch.waiting.poll import Poll

HOLD_SECONDS = 30
DEFAULT_PAUSE_SECONDS = 2.0
SHORTEST_PAUSE_SECONDS = 0.2
# An answer without news that came sooner was not held back by the server.
HELD_SECONDS = 1.0
# A stream that says nothing about the job for so long is checked by a question.
POLL_SECONDS = 60.0
MAX_WAIT_SETTING = "PHYTOBATCH_MAX_WAIT_SECONDS"


class Ask(Protocol):
    """A conditional request for a job: returns it if it differs from the answer that had this ``ETag``."""

    def __call__(self, job_id: str, etag: str | None = None, *, wait: int | None = None) -> Poll:
        """Poll once; with ``wait`` the server may hold the request for that many seconds."""


class Waiting:
    """A wait for one job."""

    def __init__(  # the ways to ask, and what the caller of wait() may say
        self,
        job_id: str,
        *,
        ask: Ask,
        ask_once: Ask,
        stream: JobStream,
        timeout: float | None,
        on_change: Callable[[Job], None] | None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Take two ways to poll: ``ask`` retries a failed request, ``ask_once`` never does."""
        self._job_id = job_id
        self._ask = ask
        self._ask_once = ask_once
        self._stream = stream
        self._timeout = timeout
        self._deadline = Deadline(timeout)
        self._on_change = on_change
        self._sleep = sleep
        self._streams = True
        self._holds = True
        self._job: Job | None = None
        self._etag: str | None = None
        self._polled_at = 0.0

    def run(self) -> Job:
        """Return the job when it is terminal.

        Raises:
            WaitTimeout: the timeout is over.
            NetworkError, ApiError: what a plain question ended with.
        """
        job = self._take(self._ask(self._job_id))
        while job is None or not job.is_terminal:
            job = self._by_stream() if self._streams else self._by_polling()
        return job

    def _by_stream(self) -> Job | None:
        """Return the job after one connection."""
        try:
            for event in self._stream.connect(self._deadline):
                job = self._after(event)
                if job is not None and job.is_terminal:
                    return job
        except (NetworkError, ApiError) as error:
            # Nothing came in time at all: somebody on the way keeps the answer until it is whole.
            is_kept_back = isinstance(error, AnswerTimeout) and not self._stream.received
            self._streams = may_reconnect(error) and not is_kept_back
        if self._deadline.left <= 0:
            raise self._too_late()
        if self._stream.received:
            self._pause(self._stream.reconnect_seconds)
            return self._poll()
        if self._stream.is_over:
            return self._start_again()
        return self._by_polling()

    def _after(self, event: JobEvent | None) -> Job | None:
        if event is not None and self._job is not None and not event.is_terminal:
            self._show(self._job.updated(event.data, event.timestamp))
            return self._job
        # The last word is the whole job; and now and then it is polled, whatever the stream says.
        is_due = event is not None or time.monotonic() - self._polled_at >= POLL_SECONDS
        return self._poll() if is_due else None

    def _start_again(self) -> Job | None:
        """Poll after the last event of a stream: the job is over, or runs again since."""
        job = self._poll()
        if job is not None and not job.is_terminal:
            self._stream.forget()
            self._pause(self._stream.reconnect_seconds)
        return job

    def _poll(self) -> Job | None:
        return self._take(self._ask(self._job_id))

    def _by_polling(self) -> Job | None:
        """Return the job if it changed, after one poll; pause if the server did not."""
        began = time.monotonic()
        answer = self._held()
        was_held = answer is not None and (answer.job is not None or time.monotonic() - began >= HELD_SECONDS)
        answer = answer or self._ask(self._job_id, self._etag)
        job = self._take(answer)
        if not (was_held or (job is not None and job.is_terminal)):
            self._pause(max(SHORTEST_PAUSE_SECONDS, answer.retry_after or DEFAULT_PAUSE_SECONDS))
        if self._deadline.left <= 0 and not (job is not None and job.is_terminal):
            raise self._too_late()
        return job

    def _held(self) -> Poll | None:
        seconds = int(min(HOLD_SECONDS, self._deadline.left))
        if not (self._holds and seconds > 0):
            return None
        try:
            return self._ask_once(self._job_id, self._etag, wait=seconds)
        except LimitExceeded as error:
            self._holds = error.problem.setting != MAX_WAIT_SETTING
        except (NetworkError, ApiError):
            pass  # The plain question that follows says what is the matter, or works.
        return None

    def _take(self, answer: Poll) -> Job | None:
        self._polled_at = time.monotonic()
        self._etag = answer.etag
        if answer.job is not None:
            self._show(answer.job)
        return answer.job

    def _show(self, job: Job) -> None:
        self._job = job
        if self._on_change is not None:
            self._on_change(job)

    def _pause(self, seconds: float) -> None:
        if seconds > self._deadline.left:
            raise self._too_late()
        self._sleep(seconds)

    def _too_late(self) -> WaitTimeout:
        return WaitTimeout(f"Job {self._job_id} did not end within {self._timeout:g} seconds. It goes on by itself.")
