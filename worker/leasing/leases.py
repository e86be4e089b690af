"""Holding on to chunks: renewal, the signs that a chunk must be given up, and the watchdog."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from shared.contracts.states import ChunkKind, JobState
from shared.db.session import Database
from shared.errors import DatabaseUnavailable, LeaseLost
from shared.jobs import claims
from shared.jobs.claims import Claim
from shared.jobs.results import NewResult
from shared.programs import Heartbeat
from worker.leasing.outcome import CancelRequested, StopRequested

log = structlog.get_logger()

# How often a running chunk asks whether its job was canceled.
LOOK_SECONDS = 1.0
# After Postgres did not answer, leases are tried again at this pace.
RETRY_SECONDS = 1.0
# How often it is looked whether a chunk names another lifeline than ours.
TICK_SECONDS = 1.0
EXIT_STUCK = 70  # EX_SOFTWARE of sysexits.h: the supervisor starts a new process


class Held:
    """One chunk that this process holds. ``check()`` is called between batches.

    ``done``: the results until now. They are stored however the work on the chunk ends, but for a fault.
    """

    def __init__(self, claim: Claim, database: Database, stopping: threading.Event) -> None:
        self.claim = claim
        self.lifeline = claim.lifeline
        self.done: list[NewResult] = []
        self._database = database
        self._stopping = stopping
        self._lost = threading.Event()
        self._canceling = threading.Event()
        self._looked_at = time.monotonic()
        self._progress_at = time.monotonic()

    @property
    def stuck_seconds(self) -> float:
        """How long nothing came of this chunk."""
        return time.monotonic() - self._progress_at

    def progressed(self) -> None:
        """Something came of it. Waiting is no progress: a decoder that hangs must not look alive."""
        self._progress_at = time.monotonic()

    def check(self) -> None:
        """Say when the work must not go on.

        Raises:
            LeaseLost: the chunk belongs to another worker.
            CancelRequested: the job is being canceled.
            StopRequested: this process is to stop.
        """
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._look()
        if self._lost.is_set():
            raise LeaseLost(f"chunk {self.claim.no} of job {self.claim.job_id} was taken over")
        if self._canceling.is_set():
            raise CancelRequested
        if self._stopping.is_set():
            raise StopRequested

    def told(self, state: JobState) -> None:
        """Note what a look or a renewal said of the job. The cancel of a job stops its images, and no export."""
        if state is JobState.CANCELING and self.claim.kind is not ChunkKind.EXPORT:
            self._canceling.set()

    def lose(self) -> None:
        """The token no longer matches."""
        self._lost.set()

    def _look(self) -> None:
        try:
            with self._database.begin() as session:
                self.told(claims.look(session, self.claim))
        except LeaseLost:
            self.lose()
        except DatabaseUnavailable:
            log.warning("lease_look_failed")  # The lease still holds; the end of the chunk waits for Postgres.


class LeaseKeeper:
    """A thread that renews every lease of this process, and ends the process when a chunk is stuck.

    Args:
        database: where the leases are.
        lease_seconds: how long a renewed lease lasts.
        renew_seconds: how often they are renewed.
        stuck_seconds: how long a chunk may come to nothing.
        lifeline: the number of our lifeline now. A chunk that names another is renewed at once.
        sign: shows in the database that this process is at work.
        alive: called after every round, also while Postgres is away.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        renew_seconds: float,
        stuck_seconds: float,
        lifeline: Callable[[], int | None] = lambda: None,
        sign: Heartbeat | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._alive = alive
        self._lifeline = lifeline
        self._sign = sign
        self._database = database
        self._lease_seconds = lease_seconds
        self._renew_seconds = renew_seconds
        self._stuck_seconds = stuck_seconds
        self._held: dict[int, Held] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    @property
    def lifeline(self) -> int | None:
        """What a new claim names."""
        return self._lifeline()

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def close(self) -> None:
        """Stop renewing and wait for the thread."""
        self._closed.set()
        self._thread.join(timeout=self._renew_seconds)

    @contextmanager
    def holding(self, claim: Claim, stopping: threading.Event) -> Iterator[Held]:
        """Renew the lease of this chunk for the length of the block."""
        held = Held(claim, self._database, stopping)
        with self._lock:
            self._held[claim.token] = held
        try:
            yield held
        finally:
            with self._lock:
                self._held.pop(claim.token, None)

    def _run(self) -> None:
        due = time.monotonic() + self._renew_seconds
        while not self._closed.wait(min(self._renew_seconds, TICK_SECONDS)):
            with self._lock:
                held = list(self._held.values())
            if time.monotonic() < due:
                for one in held:
                    if one.lifeline != self._lifeline():
                        self._renew(one)
                continue
            self._bark(held)
            renewed = [self._renew(one) for one in held]
            due = time.monotonic() + (self._renew_seconds if all(renewed) else RETRY_SECONDS)
            self._show_life()

    def _renew(self, held: Held) -> bool:
        lifeline = self._lifeline()
        try:
            with self._database.begin() as session:
                held.told(claims.renew(session, held.claim, lease_seconds=self._lease_seconds, lifeline=lifeline))
            held.lifeline = lifeline
        except LeaseLost:
            held.lose()
        except DatabaseUnavailable:
            log.warning("lease_renewal_failed", job_id=str(held.claim.job_id), chunk=held.claim.no)
            return False
        except Exception:
            log.exception("lease_renewal_fault")  # This thread must not end: every chunk of the process hangs on it.
            return False
        return True

    def _show_life(self) -> None:
        try:
            self._alive()
            if self._sign is not None:
                with self._database.begin() as session:
                    self._sign.write(session)
        except DatabaseUnavailable:
            log.warning("sign_of_life_failed")
        except Exception:
            log.exception("sign_of_life_fault")  # A server that reads only, a full disk: no reason to lose the leases.

    def _bark(self, held: list[Held]) -> None:
        """A thread cannot be ended from outside, so a stuck one ends the process; leases and attempts do the rest."""
        for one in held:
            if one.stuck_seconds > self._stuck_seconds:
                log.critical("chunk_stuck", job_id=str(one.claim.job_id), chunk=one.claim.no)
                os._exit(EXIT_STUCK)
