"""The work loop: claim the fairest chunk, run it, and wake others."""

import itertools
import threading
import time
from collections.abc import Sequence

import structlog

from shared.contracts.states import ChunkKind
from shared.errors import DatabaseUnavailable
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.metrics.definitions import CHUNK_ATTEMPTS, CHUNKS_ENDED
from worker.context import Context
from worker.leasing.leases import LeaseKeeper
from worker.leasing.slots import BULK, SLOT_KINDS, Slots
from worker.loop.chunk import chunk_context, run_chunk

log = structlog.get_logger()

# The time that one message is good for, so that short chunks do not cost a message each.
MESSAGE_SECONDS = 10.0
# After a chunk a process wakes at most RIPPLE others at this interval, and they do the same. After one that made others
# it wakes one for each.
WAKE_PAUSE_SECONDS = 0.25
RIPPLE = 2
# The kinds of chunks that are cut into others.
MAKES_CHUNKS = frozenset({ChunkKind.VALIDATE, ChunkKind.INSPECT})


class WorkLoop:
    """The slots of this process, in which Celery tasks and the fallback poller run chunks."""

    def __init__(self, context: Context, keeper: LeaseKeeper, stopping: threading.Event) -> None:
        self.context = context
        self._keeper = keeper
        self._stopping = stopping
        self._slots = [(kind, Slots(kind.count(context.settings))) for kind in SLOT_KINDS]
        self._turns = itertools.count()
        self._woke_at = 0.0

    @property
    def bulk_slots(self) -> Slots:
        """The slots that ``PHYTOBATCH_WORKER_SLOTS`` counts; others are for work that must not wait for bulk images."""
        return next(slots for kind, slots in self._slots if kind is BULK)

    def run_for_message(self) -> None:
        """Run chunks while there are any, for ``MESSAGE_SECONDS`` at most, and then wake others."""
        deadline = time.monotonic() + MESSAGE_SECONDS
        while self.run_one():
            if time.monotonic() >= deadline:
                self.wake_others(RIPPLE)
                return

    def run_one(self) -> bool:
        """Claim a chunk and run it to its end.

        Returns:
            True if there was a chunk, and a free slot to run it.
        """
        if self._stopping.is_set():
            return False
        pools, offered = self._pools(), set[Offer]()
        for kind, slots in self._slots:
            offers = kind.offers(pools)
            if offered.issuperset(offers) or not slots.take():
                continue
            offered.update(offers)
            try:
                done = self._claim_and_run(offers)
            finally:
                slots.give_back()
            if done is not None:
                self._wake_after(done)
                return True
        return False

    def wake_others(self, max_messages: int | None = None) -> None:
        """Publish a message for each ready chunk, up to ``max_messages`` or ``PHYTOBATCH_WAKEUP_WINDOW``."""
        self._woke_at = time.monotonic()
        window = self.context.settings.wakeup_window
        try:
            with self.context.database.begin() as session:
                ready = claims.ready_chunks(session, limit=min(max_messages or window, window))
        except DatabaseUnavailable:
            return
        if ready:
            self.context.wakeups.top_up(ready)

    def _wake_after(self, done: ChunkKind) -> None:
        """Wake others after a chunk: as many as there are ready chunks if it made new ones."""
        if done in MAKES_CHUNKS:
            self.wake_others()
        elif time.monotonic() - self._woke_at >= WAKE_PAUSE_SECONDS:
            self.wake_others(RIPPLE)

    def _pools(self) -> list[str]:
        """Return the pools of our classifiers, rotated by one at each call, so that each is first equally often."""
        pools = list(self.context.pipelines)
        first = next(self._turns) % max(1, len(pools))
        return pools[first:] + pools[:first]

    def _claim_and_run(self, offers: Sequence[Offer]) -> ChunkKind | None:
        claim = self._claim(offers)
        if claim is None:
            return None
        with chunk_context(claim, worker=self.context.name):
            CHUNK_ATTEMPTS.labels(claim.kind).inc()
            with self._keeper.holding(claim, self._stopping) as lease:
                outcome = run_chunk(self.context, lease)
            CHUNKS_ENDED.labels(claim.kind, outcome).inc()
        return claim.kind

    def _claim(self, offers: Sequence[Offer]) -> Claim | None:
        settings = self.context.settings
        try:
            with self.context.database.begin() as session:
                return claims.claim(
                    session,
                    offers,
                    worker=self.context.name,
                    lease_seconds=settings.lease_seconds,
                    max_running=settings.max_running_chunks,
                    lifeline=self._keeper.lifeline,
                )
        except DatabaseUnavailable:
            log.warning("claim_failed")  # The next poll tries again.
            return None
