"""All clients that wait in this process: one poll of Postgres for all, once a second and whenever a hint comes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

import anyio.to_thread
import structlog
from anyio import CapacityLimiter

from api.limits.shares import Holder, Place, Pool
from api.waiting.poll import Polled
from api.waiting.snapshot import Snapshot
from shared.errors import DatabaseUnavailable, NotFound

log = structlog.get_logger()

Poll = Callable[[Collection[Polled]], Mapping[uuid.UUID, Snapshot | None]]

# Hints and arrivals that come close together are one poll.
GATHER_SECONDS = 0.05
# Without a hint, as while Redis is away, a job whose answer somebody waits for is polled so often.
ANSWER_SECONDS = 0.2


class Purpose(Enum):
    """The reason why a client waits for a job."""

    STATE = "a change of its state"
    EVENTS = "its events, one by one"
    # One image, a fraction of a second: polled without the pause that gathers hints, and to the end also when the
    # server stops, which the request survives.
    ANSWER = "the answer of POST /predict"


@dataclass(slots=True, eq=False)
class Entry:
    """A job that is waited for. ``snapshot`` is ``None`` before the first poll, and when the job is gone."""

    job_id: uuid.UUID
    watches: set["Watch"] = field(default_factory=set)
    snapshot: Snapshot | None = None
    # The snapshot with which its watches were woken last, and when.
    announced: Snapshot | None = None
    announced_at: float = 0.0

    def serves(self, purpose: Purpose) -> bool:
        """Return whether a client waits for it for this purpose."""
        return any(watch.purpose is purpose for watch in self.watches)


class Watch:
    """One client that waits for one job. Close it, or the hub goes on polling it."""

    def __init__(self, hub: "Hub", entry: Entry, tenant_id: uuid.UUID, place: Place, purpose: Purpose) -> None:
        self.purpose = purpose
        self._hub = hub
        self._entry = entry
        self._tenant_id = tenant_id
        self._place = place
        self._news = asyncio.Event()
        self._has_left = False
        self._first_poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def snapshot(self) -> Snapshot:
        """The job as the last poll found it.

        Raises:
            NotFound: this tenant has no such job, or no longer.
        """
        found = self._entry.snapshot
        if found is None or found.tenant_id != self._tenant_id:
            raise NotFound(f"there is no job {self._entry.job_id}")
        return found

    async def first(self) -> Snapshot:
        """Return the job as it stands: read after this watch began.

        Raises:
            NotFound: this tenant has no such job.
            DatabaseUnavailable: Postgres is away.
        """
        await self._first_poll
        self._news.clear()
        return self.snapshot

    async def news(self, until: float) -> bool:
        """Wait until the job has changed since the last ``news``, at most until ``until`` by the clock of the loop.

        Returns:
            Whether it has changed. ``False`` also when waiting is over for another reason; see ``is_over``.
        """
        if not self.is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._news.wait()
        changed = self._news.is_set() and not self.is_over
        self._news.clear()
        return changed

    @property
    def is_over(self) -> bool:
        """The end of waiting: the client has left, or the server stops and this client need not have its answer."""
        return self._has_left or (self._hub.is_closed and self.purpose is not Purpose.ANSWER)

    def leave(self) -> None:
        """Note that the client is gone, and wake its request."""
        self._has_left = True
        self._news.set()

    def wake(self) -> None:
        """Wake the request that waits for news."""
        self._news.set()

    def polled(self, error: Exception | None) -> None:
        """Note that the first poll is done, or has failed."""
        if self._first_poll.done():
            return
        if error is None:
            self._first_poll.set_result(None)
        else:
            self._first_poll.set_exception(error)
            self._first_poll.exception()  # Retrieved, also when the client has left and nothing awaits it.

    def close(self) -> None:
        """Stop waiting. Harmless when it is repeated."""
        self._first_poll.cancel()
        self._place.give_back()
        self._hub.forget(self, self._entry)


class Hub:
    """The waiting clients of one event loop; only polls run in a thread, one at a time."""

    def __init__(self, poll: Poll, *, watch_seconds: float, places: Pool) -> None:
        self._poll = poll
        self._watch_seconds = watch_seconds
        self._places = places
        self._entries: dict[uuid.UUID, Entry] = {}
        self._answers: set[uuid.UUID] = set()
        self._due: set[uuid.UUID] = set()
        self._arrived: list[Watch] = []
        self._woken = asyncio.Event()
        self._in_a_hurry = asyncio.Event()
        self._limiter = CapacityLimiter(1)
        self._is_away = False
        self.is_closed = False

    @property
    def jobs(self) -> int:
        """Number of different jobs that are waited for."""
        return len(self._entries)

    def watch(self, holder: Holder, job_id: uuid.UUID, purpose: Purpose = Purpose.STATE) -> Watch:
        """Begin to wait for a job. Close the watch at the end.

        Raises:
            TooManyAtATime: as many of this key or tenant wait already as may.
            TooManyWaiting: as many wait already as may.
        """
        place = self._places.take(holder)
        entry = self._entries.setdefault(job_id, Entry(job_id))
        watch = Watch(self, entry, holder.tenant_id, place, purpose)
        entry.watches.add(watch)
        if purpose is Purpose.ANSWER:
            self._answers.add(job_id)
        self._arrived.append(watch)
        self.hint(job_id)
        return watch

    def forget(self, watch: Watch, entry: Entry) -> None:
        """Remove a watch that is closed; a job that nobody waits for is polled no more."""
        if watch not in entry.watches:
            return
        entry.watches.remove(watch)
        if not entry.serves(Purpose.ANSWER):
            self._answers.discard(entry.job_id)
        if not entry.watches:
            del self._entries[entry.job_id]

    def hint(self, job_id: uuid.UUID) -> None:
        """Poll a job soon, if anybody waits for it: it has probably changed."""
        if job_id not in self._entries:
            return
        self._due.add(job_id)
        self._woken.set()
        if job_id in self._answers:
            self._in_a_hurry.set()

    def close(self) -> None:
        """End waiting, now and from now on, because the server stops; predictions still get their answer."""
        self.is_closed = True
        for entry in self._entries.values():
            _wake(entry)

    @asynccontextmanager
    async def running(self, hints: AsyncIterator[uuid.UUID]) -> AsyncIterator[None]:
        """Poll, and listen to hints, while the block runs."""
        tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._listen(hints))]
        try:
            yield
        finally:
            self.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, hints: AsyncIterator[uuid.UUID]) -> None:
        async for job_id in hints:
            self.hint(job_id)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_round = next_answers = loop.time()
        while True:
            await _until(self._woken, min(next_round, next_answers) if self._answers else next_round)
            now = loop.time()
            if is_round := now >= next_round:
                next_round = now + self._watch_seconds
            if now >= next_answers:
                next_answers = now + ANSWER_SECONDS
                self._due |= self._answers
            await self._poll_due(is_round=is_round)
            await _until(self._in_a_hurry, loop.time() + GATHER_SECONDS)

    async def _poll_due(self, *, is_round: bool) -> None:
        """Poll every job in a round, otherwise those that are due, and wake the watches of what has changed."""
        due, self._due = self._due, set()
        arrived, self._arrived = self._arrived, []
        self._woken.clear()
        self._in_a_hurry.clear()
        entries = list(self._entries.values()) if is_round else [self._entries[i] for i in due if i in self._entries]
        error = await self._read(entries, is_round=is_round) if entries else None
        for watch in arrived:
            watch.polled(error)

    async def _read(self, entries: Collection[Entry], *, is_round: bool) -> Exception | None:
        jobs = [Polled(e.job_id, e.snapshot, events=e.serves(Purpose.EVENTS)) for e in entries]
        try:
            found = await anyio.to_thread.run_sync(self._poll, jobs, limiter=self._limiter)
        except Exception as error:  # noqa: BLE001  # this task must not end before the process does
            self._log_once(error)
            return error
        self._is_away = False
        now = asyncio.get_running_loop().time()
        for entry in entries:
            entry.snapshot = found[entry.job_id]
            if entry.snapshot is not entry.announced and (is_round or self._is_urgent(entry, now)):
                entry.announced, entry.announced_at = entry.snapshot, now
                _wake(entry)
        return None

    def _is_urgent(self, entry: Entry, now: float) -> bool:
        """Return whether watches are woken before the next round.

        A new state wakes them at once. A fast job has new results many times a second: those wait for the rounds.
        """
        is_new_state = _stage(entry.snapshot) != _stage(entry.announced)
        return is_new_state or now - entry.announced_at >= self._watch_seconds

    def _log_once(self, error: Exception) -> None:
        if not isinstance(error, DatabaseUnavailable):
            log.error("waiting_fault", exc_info=error)
        elif not self._is_away:
            self._is_away = True
            log.warning("waiting_without_database")


def _stage(snapshot: Snapshot | None) -> tuple[str, int] | None:
    """Return the state, and the run that it belongs to."""
    return None if snapshot is None else (snapshot.row.job.state, snapshot.row.job.retries)


def _wake(entry: Entry) -> None:
    for watch in entry.watches:
        watch.wake()


async def _until(event: asyncio.Event, moment: float) -> None:
    """Wait for an event, at most until a moment by the clock of the loop."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(moment):
            await event.wait()
