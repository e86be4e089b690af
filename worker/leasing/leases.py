"""Leases: their renewal, the orders to give one up, and the watchdog."""

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

# The interval at which a running chunk probes whether its job was canceled.
PROBE_SECONDS = 1.0
# The interval of renewals while Postgres does not answer.
RETRY_SECONDS = 1.0
# The interval at which chunks are compared with the lifeline of this process.
TICK_SECONDS = 1.0
EXIT_STUCK = 70  # EX_SOFTWARE of sysexits.h: the supervisor starts a new process


class Lease:
    """The lease of one chunk of this process. Its runner calls ``check()`` between batches.

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
        self._probed_at = time.monotonic()
        self._progress_at = time.monotonic()

    @property
    def stuck_seconds(self) -> float:
        """The seconds since the last progress of this chunk."""
        return time.monotonic() - self._progress_at

    def progressed(self) -> None:
        """Note progress. Waiting is not progress: a decoder that hangs must not look alive."""
        self._progress_at = time.monotonic()

    def check(self) -> None:
        """Raise if the work must not go on.

        Raises:
            LeaseLost: the chunk belongs to another worker.
            CancelRequested: the job is being canceled.
            StopRequested: this process is to stop.
        """
        now = time.monotonic()
        if now - self._probed_at >= PROBE_SECONDS:
            self._probed_at = now
            self._probe()
        if self._lost.is_set():
            raise LeaseLost(f"chunk {self.claim.no} of job {self.claim.job_id} was taken over")
        if self._canceling.is_set():
            raise CancelRequested
        if self._stopping.is_set():
            raise StopRequested

    def note_state(self, state: JobState) -> None:
        """Note the state of the job, from a probe or a renewal. A cancel of the job stops images, not exports."""
        if state is JobState.CANCELING and self.claim.kind is not ChunkKind.EXPORT:
            self._canceling.set()

    def mark_lost(self) -> None:
        """Note that the token no longer matches."""
        self._lost.set()

    def _probe(self) -> None:
        try:
            with self._database.begin() as session:
                self.note_state(claims.read_state(session, self.claim))
        except LeaseLost:
            self.mark_lost()
        except DatabaseUnavailable:
            log.warning("lease_probe_failed")  # The lease still holds; the end of the chunk waits for Postgres.


class LeaseKeeper:
    """A thread that renews every lease of this process, and exits the process if a chunk is stuck.

    Args:
        database: the database of the leases.
        lease_seconds: the length of a renewed lease.
        renew_seconds: the interval of renewals.
        stuck_seconds: the longest time of a chunk without progress.
        lifeline: returns the number of our lifeline. A chunk with another number is renewed at once.
        heartbeat: writes into the database that this process is alive.
        on_round: called after every round of renewals, also while Postgres is away.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float,
        renew_seconds: float,
        stuck_seconds: float,
        lifeline: Callable[[], int | None] = lambda: None,
        heartbeat: Heartbeat | None = None,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_round = on_round
        self._lifeline = lifeline
        self._heartbeat = heartbeat
        self._database = database
        self._lease_seconds = lease_seconds
        self._renew_seconds = renew_seconds
        self._stuck_seconds = stuck_seconds
        self._leases: dict[int, Lease] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    @property
    def lifeline(self) -> int | None:
        """The lifeline for a new claim."""
        return self._lifeline()

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def close(self) -> None:
        """Stop renewing and wait for the thread."""
        self._closed.set()
        self._thread.join(timeout=self._renew_seconds)

    @contextmanager
    def holding(self, claim: Claim, stopping: threading.Event) -> Iterator[Lease]:
        """Renew the lease of this chunk for the length of the block."""
        lease = Lease(claim, self._database, stopping)
        with self._lock:
            self._leases[claim.token] = lease
        try:
            yield lease
        finally:
            with self._lock:
                self._leases.pop(claim.token, None)

    def _run(self) -> None:
        due = time.monotonic() + self._renew_seconds
        while not self._closed.wait(min(self._renew_seconds, TICK_SECONDS)):
            with self._lock:
                leases = list(self._leases.values())
            if time.monotonic() < due:
                for one in leases:
                    if one.lifeline != self._lifeline():
                        self._renew(one)
                continue
            self._exit_if_stuck(leases)
            renewed = [self._renew(one) for one in leases]
            due = time.monotonic() + (self._renew_seconds if all(renewed) else RETRY_SECONDS)
            self._beat()

    def _renew(self, lease: Lease) -> bool:
        lifeline = self._lifeline()
        try:
            with self._database.begin() as session:
                state = claims.renew(session, lease.claim, lease_seconds=self._lease_seconds, lifeline=lifeline)
            lease.note_state(state)
            lease.lifeline = lifeline
        except LeaseLost:
            lease.mark_lost()
        except DatabaseUnavailable:
            log.warning("lease_renewal_failed", job_id=str(lease.claim.job_id), chunk=lease.claim.no)
            return False
        except Exception:
            log.exception("lease_renewal_fault")  # This thread must not end: it holds every chunk of the process.
            return False
        return True

    def _beat(self) -> None:
        try:
            self._on_round()
            if self._heartbeat is not None:
                with self._database.begin() as session:
                    self._heartbeat.write(session)
        except DatabaseUnavailable:
            log.warning("heartbeat_failed")
        except Exception:
            log.exception("heartbeat_fault")  # A read-only server or a full disk must not cost the leases.

    def _exit_if_stuck(self, leases: list[Lease]) -> None:
        """Exit if a chunk is stuck: a thread cannot be ended from outside. Leases and attempts do the rest."""
        for one in leases:
            if one.stuck_seconds > self._stuck_seconds:
                log.critical("chunk_stuck", job_id=str(one.claim.job_id), chunk=one.claim.no)
                os._exit(EXIT_STUCK)
