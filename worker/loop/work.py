"""One look for work: claim the fairest chunk, run it, and say whether there was one."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import structlog
from opentelemetry.trace import SpanKind

from shared.contracts.states import ChunkKind, Priority
from shared.errors import DatabaseUnavailable, LeaseLost, StoreUnavailable
from shared.jobs import claims
from shared.jobs.chunks import isolated_pool_of
from shared.jobs.claims import Claim, Offer
from shared.metrics.definitions import CHUNK_ATTEMPTS, CHUNKS_ENDED
from shared.tracing import Attributes, failed, span
from worker.context import Context
from worker.jobs.classify import classify
from worker.jobs.purge import purge
from worker.jobs.validate import validate
from worker.leasing.leases import CancelAsked, Held, LeaseKeeper, StopAsked
from worker.leasing.outcome import ChunkOutcome
from worker.leasing.slots import Slots

log = structlog.get_logger()

# A message is good for chunks of so many seconds, so that short ones do not cost a message each.
MESSAGE_SECONDS = 10.0
# A process wakes others after a chunk, at most so often and so many at a time: they do the same. Where chunks are
# new, it wakes as many as there are.
WAKE_PAUSE_SECONDS = 0.25
RIPPLE = 2
# Beside the slots of the setting: for what people wait for, and for pictures that take seconds each.
EXPRESS_SLOTS = 1
ISOLATED_SLOTS = 1
FURTHER_SLOTS = EXPRESS_SLOTS + ISOLATED_SLOTS

RUNNERS: dict[ChunkKind, Callable[[Context, Held], ChunkOutcome]] = {
    ChunkKind.VALIDATE: validate,
    ChunkKind.CLASSIFY: classify,
    ChunkKind.PURGE: purge,
}


def offers_of(pools: Sequence[str], *, patient: bool) -> list[Offer]:
    """What a slot takes, most urgent first; only a ``patient`` one takes bulk images and removals."""
    urgent = [
        Offer(ChunkKind.VALIDATE, Priority.INTERACTIVE),
        *(Offer(pool, Priority.INTERACTIVE) for pool in pools),
        Offer(ChunkKind.VALIDATE, Priority.BULK),
    ]
    if not patient:
        return urgent
    return [
        *urgent,
        *(Offer(pool, Priority.BULK) for pool in pools),
        Offer(ChunkKind.PURGE, Priority.INTERACTIVE),
        Offer(ChunkKind.PURGE, Priority.BULK),
    ]


def isolated_offers_of(pools: Sequence[str]) -> list[Offer]:
    """List the offers of the slot for chunks whose pictures are all decoded in processes of their own."""
    return [Offer(isolated_pool_of(pool), Priority.BULK) for pool in pools]


class Workplace:
    """The slots of this process: at most so many chunks at a time, whoever asks (Celery, or our own look).

    One express slot more takes no bulk images: somebody who waits for one photograph, or for the report of a
    validation, does not wait until a chunk of a whole flight is through. One isolated slot more takes chunks of
    pictures that are out of the ordinary and may take seconds each.
    """

    def __init__(self, context: Context, keeper: LeaseKeeper, stopping: threading.Event) -> None:
        self.context = context
        self._keeper = keeper
        self._stopping = stopping
        self.slots = Slots(context.settings.worker_slots)
        # Tried in this order: the express slot is left for those who find the others taken.
        self._slots: tuple[tuple[Slots, Callable[[Sequence[str]], list[Offer]]], ...] = (
            (self.slots, partial(offers_of, patient=True)),
            (Slots(ISOLATED_SLOTS), isolated_offers_of),
            (Slots(EXPRESS_SLOTS), partial(offers_of, patient=False)),
        )
        self._turns = itertools.count()
        self._woke_at = 0.0

    def work(self) -> None:
        """What a message asks for: run chunks while there are any, for a while, and pass the word on."""
        until = time.monotonic() + MESSAGE_SECONDS
        while self.work_once():
            if time.monotonic() >= until:
                self.wake_next(RIPPLE)
                return

    def work_once(self) -> bool:
        """Claim a chunk and run it to its end.

        Returns:
            Whether there was a chunk, and a free slot to run it.
        """
        if self._stopping.is_set():
            return False
        pools, offered = self._pools(), set[Offer]()
        for slot, offers_for in self._slots:
            offers = offers_for(pools)
            if offered.issuperset(offers) or not slot.take():
                continue
            offered.update(offers)
            try:
                worked = self._work(offers)
            finally:
                slot.give_back()
            if worked is not None:
                self._pass_on(worked)
                return True
        return False

    def _pass_on(self, done: ChunkKind) -> None:
        """Wake others after a chunk; where it made new ones, as many as there are."""
        if done is ChunkKind.VALIDATE:
            self.wake_next()
        elif time.monotonic() - self._woke_at >= WAKE_PAUSE_SECONDS:
            self.wake_next(RIPPLE)

    def _pools(self) -> list[str]:
        """The pools of our classifiers, another one first each time, so that none waits for the end of another."""
        pools = list(self.context.pipelines)
        first = next(self._turns) % len(pools)
        return pools[first:] + pools[:first]

    def _work(self, offers: Sequence[Offer]) -> ChunkKind | None:
        claim = self._claim(offers)
        if claim is None:
            return None
        with _chunk_context(claim, worker=self.context.name):
            CHUNK_ATTEMPTS.labels(claim.kind).inc()
            outcome = self._run(claim)
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
            log.warning("claim_failed")  # The next look tries again.
            return None

    def _run(self, claim: Claim) -> ChunkOutcome:
        """Run a chunk; whatever happens, it is closed, handed back, or left to its lease."""
        with self._keeper.holding(claim, self._stopping) as held:
            try:
                return RUNNERS[claim.kind](self.context, held)
            except LeaseLost:
                log.warning("lease_lost", attempt=claim.attempt)
                failed("lease lost")
                return ChunkOutcome.LEASE_LOST
            except (CancelAsked, StopAsked) as order:
                self._hand_back(claim, pause_seconds=0)
                return ChunkOutcome.CANCELED if isinstance(order, CancelAsked) else ChunkOutcome.HANDED_BACK
            except (StoreUnavailable, DatabaseUnavailable) as error:
                log.warning("chunk_handed_back", reason=str(error))
                failed(str(error))
                self._hand_back(claim, pause_seconds=self.context.settings.release_backoff_seconds)
                return ChunkOutcome.HANDED_BACK
            except Exception:
                log.exception("chunk_fault", attempt=claim.attempt)
                failed("fault")
                self._abandon(claim)
                return ChunkOutcome.FAULT

    def _hand_back(self, claim: Claim, *, pause_seconds: float) -> None:
        try:
            self.context.database.run(lambda session: claims.release(session, claim, pause_seconds=pause_seconds))
        except (LeaseLost, DatabaseUnavailable):
            log.warning("chunk_left_to_its_lease")

    def _abandon(self, claim: Claim) -> None:
        try:
            self.context.database.run(lambda session: claims.abandon(session, claim))
        except DatabaseUnavailable:
            log.warning("chunk_left_to_its_lease")

    def wake_next(self, most: int | None = None) -> None:
        """Have a message for each ready chunk, up to ``most``, or up to the window."""
        self._woke_at = time.monotonic()
        window = self.context.settings.wakeup_window
        try:
            with self.context.database.begin() as session:
                ready = claims.ready_chunks(session, limit=min(most or window, window))
        except DatabaseUnavailable:
            return
        if ready:
            self.context.wakeups.top_up(ready)


@contextmanager
def _chunk_context(claim: Claim, *, worker: str) -> Iterator[None]:
    """Name job, chunk, tenant, and the request that asked for the work in every log line within and in the span."""
    ids: Attributes = {
        "job_id": str(claim.job_id),
        "chunk": claim.no,
        "kind": claim.kind.value,
        "tenant_id": str(claim.tenant_id),
    }
    numbers: Attributes = {"attempt": claim.attempt, "first_seq": claim.first_seq, "last_seq": claim.last_seq}
    with (
        structlog.contextvars.bound_contextvars(**ids, request_id=claim.origin.request_id),
        span(
            f"chunk {claim.kind.value}",
            parent=claim.origin.traceparent,
            kind=SpanKind.CONSUMER,
            attributes={f"phytobatch.{name}": value for name, value in {**ids, **numbers, "worker": worker}.items()},
        ),
    ):
        yield
