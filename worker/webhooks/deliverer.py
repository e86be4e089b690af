"""The loop of the deliverer: claim due deliveries, send them, record their outcomes.

Attempts run concurrently in one event loop; claims and records go to the database in a thread, many at a time. An
attempt that ends frees its slot once it is recorded, so an outage of the database stops new attempts by itself.
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
from worker.webhooks.attempt_context import attempt_context
from worker.webhooks.ledger import Ledger
from worker.webhooks.message import Attempt, Message
from worker.webhooks.metrics import count_attempt

log = structlog.get_logger()

# The poll interval of an idle deliverer.
IDLE_SECONDS = 0.5
# Attempts that end within this time are recorded together.
GATHER_SECONDS = 0.02
OUTAGE_PAUSE_SECONDS = 1.0


class MakesAttempts(Protocol):
    """The sender, as the loop needs it: ``worker.webhooks.sender.Sender``, or a fake one."""

    async def send(self, message: Message) -> Attempt:
        """Make one attempt. Raises nothing but ``CancelledError``."""


class Deliverer:
    """The loop that makes deliveries until :meth:`stop`.

    Args:
        ledger: the database.
        sender: makes the attempts.
        slots: how many attempts run concurrently.
        public_url: the address of the API for clients, for the links in bodies.
        shutdown_seconds: how long attempts in flight may take after :meth:`stop`.
        idle_seconds: the poll interval while there is nothing to do.
        on_poll: called after every poll that the database answered.
    """

    def __init__(
        self,
        ledger: Ledger,
        sender: MakesAttempts,
        *,
        slots: int,
        public_url: str | None = None,
        shutdown_seconds: float = 0.0,
        idle_seconds: float = IDLE_SECONDS,
        on_poll: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._sender = sender
        self._slots = slots
        self._public_url = public_url
        self._shutdown_seconds = shutdown_seconds
        self._idle_seconds = idle_seconds
        self._on_poll = on_poll
        self._in_flight: dict[asyncio.Task[None], Claim] = {}
        self._finished: list[Outcome] = []
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._outage = False

    @property
    def in_flight(self) -> int:
        """The number of attempts that run now."""
        return len(self._in_flight)

    def stop(self) -> None:
        """Claim no more. Call it in the event loop."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until :meth:`stop`, and hand back what was not finished."""
        while not self._stopping.is_set():
            if await self._poll():
                await self._wait_for_ended(self._idle_seconds)
            else:
                await _first(self._stopping, OUTAGE_PAUSE_SECONDS)
        await self._drain()

    async def _poll(self) -> bool:
        """Record attempts that ended and begin those that are due; ``False`` if a pause is needed after a failure."""
        try:
            await self._record()
            await self._claim()
        except DatabaseUnavailable:
            if not self._outage:
                log.warning("deliverer_waits", reason="the database cannot be reached")
            self._outage = True
            return False
        except Exception:
            log.exception("deliverer_fault")  # This loop must not end: nobody else delivers.
            return False
        if self._outage:
            log.info("deliverer_goes_on")
        self._outage = False
        self._on_poll()
        return True

    async def _record(self) -> None:
        """Record attempts that ended. Those that the database refuses are dropped, and sent again after their lease."""
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
        slots = self._slots - len(self._in_flight) - len(self._finished)
        if slots <= 0:
            return
        for claim in await asyncio.to_thread(self._ledger.claim, slots):
            task = asyncio.create_task(self._deliver(claim))
            self._in_flight[task] = claim
            task.add_done_callback(self._ended)

    async def _deliver(self, claim: Claim) -> None:
        with attempt_context(claim) as report:
            try:
                attempt = await self._sender.send(message_of(claim, self._public_url))
            except Exception:
                # Recorded as a failure, or this delivery would come back with every lease for ever.
                log.exception("attempt_fault")
                attempt = Attempt(milliseconds=0, error=AttemptError.CONNECTION_FAILED)
            report(attempt)
        count_attempt(attempt)
        self._finished.append(outcome_of(claim, attempt))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._in_flight.pop(task, None)
        self._wake.set()

    async def _wait_for_ended(self, seconds: float) -> None:
        """Wait at most ``seconds`` for an attempt to end, then ``GATHER_SECONDS`` for those that end right after it."""
        if await _first(self._wake, seconds) and not self._stopping.is_set():
            await asyncio.sleep(GATHER_SECONDS)
        self._wake.clear()

    async def _drain(self) -> None:
        """Let attempts in flight end within ``shutdown_seconds``, record them, and hand the rest back."""
        deadline = time.monotonic() + self._shutdown_seconds
        log.info("deliverer_stopping", in_flight=len(self._in_flight), shutdown_seconds=self._shutdown_seconds)
        while (self._in_flight or self._finished) and (left := deadline - time.monotonic()) > 0:
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._record()
            except DatabaseUnavailable:
                await asyncio.sleep(min(OUTAGE_PAUSE_SECONDS, max(deadline - time.monotonic(), 0)))
        await self._hand_back()

    async def _hand_back(self) -> None:
        tasks = tuple(self._in_flight)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rest = list(self._in_flight.values())
        try:
            await self._record()
            await asyncio.to_thread(self._ledger.release, rest)
        except DatabaseUnavailable:
            log.warning("deliveries_not_handed_back", count=len(rest) + len(self._finished))
        else:
            log.info("deliverer_stopped", handed_back=len(rest))


def message_of(claim: Claim, public_url: str | None) -> Message:
    """Return the POST of a claim. Its body is the same at every attempt; its time is that of the claim."""
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
    """Return the outcome of an attempt, as it is recorded."""
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
    """Wait for the event for at most ``seconds``; True if it was set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
