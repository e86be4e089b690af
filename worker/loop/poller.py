"""The fallback poller: claims chunks and runs sweeps while no message comes from Redis."""

import threading
import time

import structlog

from shared.errors import DatabaseUnavailable, StoreUnavailable
from shared.exports.sweep import remove_expired
from shared.jobs.lifelines import take_back_from
from shared.jobs.sweep import CrashPolicy, sweep
from shared.metrics.definitions import LEASE_EXPIRIES
from worker.context import Context
from worker.loop.retention import RetentionKeeper
from worker.loop.work import WorkLoop
from worker.ready import ReadyFile

log = structlog.get_logger()

# A worker sweeps when the sweep of beat is late by this factor.
LATE = 1.5


class FallbackPoller:
    """One thread per slot that polls for chunks when no message came; the first one also sweeps if beat does not."""

    def __init__(
        self, context: Context, loop: WorkLoop, stopping: threading.Event, *, threads: int, ready: ReadyFile
    ) -> None:
        self._threads = [
            threading.Thread(target=self._run, args=(number == 0,), name=f"poller-{number}", daemon=True)
            for number in range(threads)
        ]
        self._context = context
        self._loop = loop
        self._stopping = stopping
        self._ready = ready
        self._retention = RetentionKeeper(context)
        self._message_at = time.monotonic()
        self._swept_at = time.monotonic()

    def start(self) -> None:
        """Begin polling."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until its chunks are handed back, after ``stopping`` was set."""
        for thread in self._threads:
            thread.join()

    def note_message(self) -> None:
        """Note that a message came from Redis."""
        self._message_at = time.monotonic()

    def sweep(self) -> None:
        """Run a sweep, and wake workers for ready chunks.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        self._swept_at = time.monotonic()
        done = sweep(self._context.database, self._policy)
        LEASE_EXPIRIES.inc(done.leases)
        if done.changed:
            log.info(
                "swept",
                leases=done.leases,
                jobs=done.jobs,
                drafts=done.drafts,
                keys=done.keys,
                programs=done.programs,
                endpoints=done.endpoints,
                exports=done.exports,
                explanations=done.explanations,
            )
        self._loop.wake_others()
        self._remove_expired_exports()
        self._retention.sweep()

    def take_back_from(self, lifeline: int) -> None:
        """Take back the chunks of an ended lifeline, and wake workers for them.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        if taken := take_back_from(self._context.database, lifeline, self._policy):
            LEASE_EXPIRIES.inc(taken)
            log.info("lifeline_ended", lifeline=lifeline, leases=taken)
            self._loop.wake_others()

    @property
    def _policy(self) -> CrashPolicy:
        return CrashPolicy.of(self._context.settings)

    def _remove_expired_exports(self) -> None:
        try:
            removed = remove_expired(self._context.database, self._context.store)
        except StoreUnavailable as error:
            log.warning("exports_not_removed", reason=str(error))  # The next sweep tries again.
            return
        if removed:
            log.info("exports_removed", exports=removed)

    def _run(self, sweeps: bool) -> None:  # noqa: FBT001  # a thread's argument
        pause = self._context.settings.idle_look_seconds
        while not self._stopping.wait(pause):
            try:
                if sweeps:
                    self._ready.touch()
                    self._sweep_if_late()
                self._poll()
            except Exception:
                log.exception("poller_fault")  # This thread must not end: it works without Redis.

    def _poll(self) -> None:
        """Run chunks until there are none, or until a message comes from Redis again."""
        began = time.monotonic()
        while self._loop.run_one() and self._message_at < began:
            began = time.monotonic()

    def _sweep_if_late(self) -> None:
        """Sweep if the sweep that beat requests is late."""
        if time.monotonic() - self._swept_at > LATE * self._context.settings.sweep_seconds:
            try:
                self.sweep()
            except DatabaseUnavailable:
                log.warning("sweep_failed")
