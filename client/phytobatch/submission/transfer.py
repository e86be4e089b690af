"""Upload of one file into the object store, with every repeat that it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from phytobatch.errors import (
    FileChanged,
    FileUnreadable,
    Interrupted,
    NetworkError,
    UploadError,
    UploadRefused,
    UploadUrlExpired,
)
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.submission.prepare import Preparer, describe
from phytobatch.submission.register import Registrar, Ticket
from phytobatch.submission.run import Run

REFUSALS = 3  # Times that the store may refuse a file before it is left out: the first may be a flipped bit.


class Transfer:
    """A stage that sends files, one at a time per thread. Thread-safe."""

    def __init__(self, client: Phytobatch, registrar: Registrar, preparer: Preparer, run: Run) -> None:
        self._client = client
        self._registrar = registrar
        self._preparer = preparer
        self._run = run
        self._policy = RetryPolicy(total_seconds=run.patience)

    def send(self, ticket: Ticket) -> None:
        """Send a file, or leave it out and report why.

        Raises:
            NetworkError, UploadError: the object store stayed away for longer than the patience.
            ApiError: the API refused to give a fresh address.
            Interrupted: the submission was stopped.
        """
        attempts = _Attempts(ticket)
        while attempts.ticket is not None:
            try:
                if self._try(attempts):
                    return
            except FileUnreadable as error:
                self._preparer.skip(ticket.file.path, ticket.file.size, str(error))
                return

    def _try(self, attempts: _Attempts) -> bool:
        """Make one attempt; True when nothing is left to do. Otherwise ``attempts`` has what the next attempt needs."""
        ticket = attempts.ticket
        if ticket is None:
            return True
        try:
            if ticket.is_stale:
                attempts.ticket = self._renew(ticket)
                return False
            self._put(ticket)
        except (FileChanged, UploadUrlExpired, UploadRefused) as error:
            attempts.refusals += 1
            if attempts.refusals >= REFUSALS:
                self._give_up(ticket, error)
                return True
            attempts.ticket = self._renew(ticket)
            return False
        except (NetworkError, UploadError) as error:
            self._wait(attempts, error)
            attempts.ticket = self._renew(ticket)
            return False
        self._finish(ticket)
        return True

    def _put(self, ticket: Ticket) -> None:
        now = describe(ticket.file.path, ticket.file.name, ticket.file)
        if now.sha256 != ticket.file.sha256:
            raise FileChanged(f"{ticket.file.path} changed on disk")
        self._client.upload(ticket.target, ticket.file.path, progress=self._count)

    def _count(self, sent: int) -> None:
        self._run.reporter.bytes_sent(sent)
        if sent > 0 and self._run.stop.is_set():
            raise Interrupted("The submission was stopped.")

    def _finish(self, ticket: Ticket) -> None:
        self._run.ledger.sent(ticket.file)
        self._run.outcome.count_sent()
        self._run.reporter.file_sent()
        self._run.outage.over()

    def _renew(self, ticket: Ticket) -> Ticket | None:
        """Return a fresh URL for the bytes that the file has now; None when the server refuses the file."""
        # The size and time that are remembered are not believed here: something did not fit.
        now = describe(ticket.file.path, ticket.file.name)
        if now.sha256 != ticket.file.sha256:
            file = self._preparer.changed(ticket.file, now)
        else:
            file = replace(ticket.file, size=now.size, mtime_ns=now.mtime_ns)
        return next(iter(self._registrar.register([file])), None)

    def _give_up(self, ticket: Ticket, error: Exception) -> None:
        if isinstance(error, UploadUrlExpired) and self._run.outcome.sent == 0:
            # Fresh addresses that do not work for the first file will not work for 20,000 others.
            raise error
        self._preparer.skip(ticket.file.path, ticket.file.size, str(error))

    def _wait(self, attempts: _Attempts, error: NetworkError | UploadError) -> None:
        now = time.monotonic()
        attempts.failing_since = attempts.failing_since or now
        pause = self._policy.pause(attempts.failures, elapsed=now - attempts.failing_since)
        if pause is None or not getattr(error, "retryable", True):
            raise error
        attempts.failures += 1
        self._run.outage.began(error, self._policy.total_seconds)
        self._run.sleep(pause)


@dataclass
class _Attempts:
    """The state of one file between attempts."""

    ticket: Ticket | None
    refusals: int = 0
    failures: int = 0
    failing_since: float = 0.0
