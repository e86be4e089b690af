"""The loop of the deliverer: claim what is due, send it, record what became of it.

Attempts run side by side in one event loop; claims and records go to the database in a thread, many at a time. An
attempt that ends frees its slot once it is recorded, so a database that is away stops new attempts by itself.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from shared.contracts.states import AttemptError
from shared.errors import DatabaseUnavailable
from shared.webhooks import body
from shared.webhooks.deliveries import Claim
from shared.webhooks.recording import Outcome
from worker.webhooks.ledger import Ledger
from worker.webhooks.message import Attempt, Message
from worker.webhooks.metrics import count_attempt
from worker.webhooks.under_way import under_way

log = structlog.get_logger()

# How soon a new delivery is seen by a deliverer with nothing to do.
IDLE_SECONDS = 0.5
# Attempts that end close together are recorded together.
GATHER_SECONDS = 0.02
OUTAGE_PAUSE_SECONDS = 1.0


class Sends(Protocol):
    """What makes the attempts: ``worker.webhooks.sender.Sender``."""

    async def send(self, message: Message) -> Attempt:
        """Make one attempt. Raises nothing but ``CancelledError``."""


class Deliverer:
    """Makes deliveries until it is told to stop.

    Args:
        ledger: the database.
        sender: makes the attempts.
        slots: attempts at a time.
        public_url: where clients reach the API, for the links in bodies.
        shutdown_seconds: how long attempts under way may take after :meth:`stop`.
        idle_seconds: how often to look when there is nothing to do.
        alive: called after every look that the database answered.
    """

    def __init__(
        self,
        ledger: Ledger,
        sender: Sends,
        *,
        slots: int,
        public_url: str | None = None,
        shutdown_seconds: float = 0.0,
        idle_seconds: float = IDLE_SECONDS,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._slots = slots
        self._public_url = public_url
        self._shutdown_seconds = shutdown_seconds
        self._idle_seconds = idle_seconds
        self._alive = alive
        self._under_way: dict[asyncio.Task[None], Claim] = {}
        self._finished: list[Outcome] = []
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._away = False

    @property
    def under_way(self) -> int:
        """Attempts that are under way now."""
        return len(self._under_way)

    def stop(self) -> None:
        """Claim no more. Call it in the event loop."""
        self._stopping.set()
        self._news.set()

    async def run(self) -> None:
        """Deliver until :meth:`stop`, and hand back what was not finished."""
        while not self._stopping.is_set():
            if await self._look():
                await self._wait_for_news(self._idle_seconds)
            else:
                await _first(self._stopping, OUTAGE_PAUSE_SECONDS)
        await self._drain()

    async def _look(self) -> bool:
        """Record what ended and begin what is due. ``False``: it did not work, and needs a pause."""
        try:
            await self._record()
            await self._claim()
        except DatabaseUnavailable:
            if not self._away:
                log.warning("deliverer_waits", reason="the database cannot be reached")
            self._away = True
            return False
        except Exception:
            log.exception("deliverer_fault")  # This loop must not end: nobody else delivers.
            return False
        if self._away:
            log.info("deliverer_goes_on")
        self._away = False
        self._alive()
        return True

    async def _record(self) -> None:
        """Record what ended. What the database refuses is dropped: it is sent again when its lease runs out."""
        outcomes, self._finished = self._finished, []
        if not outcomes:
            return
        try:
            await asyncio.to_thread(self._ledger.record, outcomes)
        except DatabaseUnavailable:
            self._finished = outcomes + self._finished
            raise
        except Exception:
            log.exception("attempts_not_recorded", count=len(outcomes))

    async def _claim(self) -> None:
        slots = self._slots - len(self._under_way) - len(self._finished)
        if slots <= 0:
            return
        for claim in await asyncio.to_thread(self._ledger.claim, slots):
            task = asyncio.create_task(self._deliver(claim))
            self._under_way[task] = claim
            task.add_done_callback(self._ended)

    async def _deliver(self, claim: Claim) -> None:
        with under_way(claim) as told:
            try:
                attempt = await self._sender.send(message_of(claim, self._public_url))
            except Exception:
                # Recorded as a failure, or this delivery would come back with every lease for ever.
                log.exception("attempt_fault")
                attempt = Attempt(milliseconds=0, error=AttemptError.CONNECTION_FAILED)
            told(attempt)
        count_attempt(attempt)
        self._finished.append(outcome_of(claim, attempt))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._under_way.pop(task, None)
        self._news.set()

    async def _wait_for_news(self, seconds: float) -> None:
        """Until an attempt ends or ``seconds`` are over; then a moment more, for those that end close to it."""
        if await _first(self._news, seconds) and not self._stopping.is_set():
            await asyncio.sleep(GATHER_SECONDS)
        self._news.clear()

    async def _drain(self) -> None:
        """Let attempts under way end, within a bound; record them, and hand the rest back."""
        deadline = time.monotonic() + self._shutdown_seconds
        log.info("deliverer_stopping", under_way=len(self._under_way), shutdown_seconds=self._shutdown_seconds)
        while (self._under_way or self._finished) and (left := deadline - time.monotonic()) > 0:
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._record()
            except DatabaseUnavailable:
                await asyncio.sleep(min(OUTAGE_PAUSE_SECONDS, max(deadline - time.monotonic(), 0)))
        await self._hand_back()

    async def _hand_back(self) -> None:
        tasks = tuple(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rest = list(self._under_way.values())
        try:
            await self._record()
            await asyncio.to_thread(self._ledger.release, rest)
        except DatabaseUnavailable:
            log.warning("deliveries_not_handed_back", count=len(rest) + len(self._finished))
        else:
            log.info("deliverer_stopped", handed_back=len(rest))


def message_of(claim: Claim, public_url: str | None) -> Message:
    """The POST of a claim. Its body is the same at every attempt; its time is that of the claim."""
    event = body.envelope(claim.event_type, claim.created_at, claim.data, public_url=public_url)
    return Message(
        delivery_id=claim.delivery_id,
        webhook_id=str(claim.event_id),
        url=claim.url,
        body=body.encode(event),
        secrets=claim.secrets,
        timestamp=int(claim.claimed_at.timestamp()),
    )


def outcome_of(claim: Claim, attempt: Attempt) -> Outcome:
    """What is recorded of an attempt."""
    return Outcome(
        claim=claim,
        delivered=attempt.delivered,
        milliseconds=attempt.milliseconds,
        status=attempt.status,
        error=attempt.error,
        retry_after=attempt.retry_after,
        response=attempt.response,
    )


async def _first(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
