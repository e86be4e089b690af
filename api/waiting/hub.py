"""Everybody who waits in this process: one look at Postgres for all, once a second and whenever a hint comes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio.to_thread
import structlog
from anyio import CapacityLimiter

from api.limits.shares import Holder, Place, Pool
from api.waiting.look import Wanted
from api.waiting.snapshot import Snapshot
from shared.errors import DatabaseUnavailable, NotFound

log = structlog.get_logger()

Look = Callable[[Collection[Wanted]], Mapping[uuid.UUID, Snapshot | None]]

# Hints and arrivals that come close together are one look.
GATHER_SECONDS = 0.05


@dataclass(slots=True, eq=False)
class Entry:
    """A job that is waited for. ``snapshot`` is ``None`` before the first look, and when the job is gone."""

    job_id: uuid.UUID
    watches: set["Watch"] = field(default_factory=set)
    snapshot: Snapshot | None = None
    # What those who wait were woken with, and when.
    told: Snapshot | None = None
    told_at: float = 0.0


class Watch:
    """One client that waits for one job. Close it, or the hub goes on looking for it."""

    def __init__(self, hub: "Hub", entry: Entry, tenant_id: uuid.UUID, place: Place, *, events: bool) -> None:
        self.events = events
        self._hub = hub
        self._entry = entry
        self._tenant_id = tenant_id
        self._place = place
        self._news = asyncio.Event()
        self._left = False
        self._looked: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def snapshot(self) -> Snapshot:
        """The job as it was seen last.

        Raises:
            NotFound: this tenant has no such job, or no longer.
        """
        found = self._entry.snapshot
        if found is None or found.tenant_id != self._tenant_id:
            raise NotFound(f"there is no job {self._entry.job_id}")
        return found

    async def first(self) -> Snapshot:
        """The job as it stands: read after this watch began.

        Raises:
            NotFound: this tenant has no such job.
            DatabaseUnavailable: Postgres is away.
        """
        await self._looked
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
        """Whether there is nothing to wait for: the client has left, or the server stops."""
        return self._left or self._hub.is_closed

    def leave(self) -> None:
        """The client is gone: whoever waits for news is woken."""
        self._left = True
        self._news.set()

    def tell(self) -> None:
        """Wake whoever waits for news."""
        self._news.set()

    def looked(self, error: Exception | None) -> None:
        """The first look is done, or has failed."""
        if self._looked.done():
            return
        if error is None:
            self._looked.set_result(None)
        else:
            self._looked.set_exception(error)
            self._looked.exception()  # Seen, also when the client has left and nobody asks.

    def close(self) -> None:
        """Stop waiting. Harmless when it is repeated."""
        self._looked.cancel()
        self._place.give_back()
        self._hub.forget(self, self._entry)


class Hub:
    """Belongs to one event loop; only the looks run in a thread, one at a time."""

    def __init__(self, look: Look, *, watch_seconds: float, places: Pool) -> None:
        self._look = look
        self._watch_seconds = watch_seconds
        self._places = places
        self._entries: dict[uuid.UUID, Entry] = {}
        self._due: set[uuid.UUID] = set()
        self._arrived: list[Watch] = []
        self._woken = asyncio.Event()
        self._limiter = CapacityLimiter(1)
        self._is_away = False
        self.is_closed = False

    @property
    def jobs(self) -> int:
        """Different jobs that are waited for."""
        return len(self._entries)

    def watch(self, holder: Holder, job_id: uuid.UUID, *, events: bool = False) -> Watch:
        """Begin to wait for a job. Close the watch at the end.

        Raises:
            TooManyAtATime: as many of this key or tenant wait already as may.
            TooManyWaiting: as many wait already as may.
        """
        place = self._places.take(holder)
        entry = self._entries.setdefault(job_id, Entry(job_id))
        watch = Watch(self, entry, holder.tenant_id, place, events=events)
        entry.watches.add(watch)
        self._arrived.append(watch)
        self.hint(job_id)
        return watch

    def forget(self, watch: Watch, entry: Entry) -> None:
        """A watch is closed; a job that nobody waits for is looked at no more."""
        if watch not in entry.watches:
            return
        entry.watches.remove(watch)
        if not entry.watches:
            del self._entries[entry.job_id]

    def hint(self, job_id: uuid.UUID) -> None:
        """This job has probably changed: look soon, if anybody waits for it."""
        if job_id in self._entries:
            self._due.add(job_id)
            self._woken.set()

    def close(self) -> None:
        """End all waiting, now and from now on: the server stops."""
        self.is_closed = True
        for entry in self._entries.values():
            _tell(entry)

    @asynccontextmanager
    async def at_work(self, hints: AsyncIterator[uuid.UUID]) -> AsyncIterator[None]:
        """Look and listen while the block runs."""
        tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._hear(hints))]
        try:
            yield
        finally:
            self.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, hints: AsyncIterator[uuid.UUID]) -> None:
        async for job_id in hints:
            self.hint(job_id)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_round = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_round):
                    await self._woken.wait()
            is_round = loop.time() >= next_round
            if is_round:
                next_round = loop.time() + self._watch_seconds
            await self._look_at(is_round=is_round)
            await asyncio.sleep(GATHER_SECONDS)

    async def _look_at(self, *, is_round: bool) -> None:
        """Look at every job in a round, else at those that are due, and tell whom it concerns."""
        due, self._due = self._due, set()
        arrived, self._arrived = self._arrived, []
        self._woken.clear()
        entries = list(self._entries.values()) if is_round else [self._entries[i] for i in due if i in self._entries]
        error = await self._take(entries, is_round=is_round) if entries else None
        for watch in arrived:
            watch.looked(error)

    async def _take(self, entries: Collection[Entry], *, is_round: bool) -> Exception | None:
        wanted = [Wanted(e.job_id, e.snapshot, events=any(w.events for w in e.watches)) for e in entries]
        try:
            found = await anyio.to_thread.run_sync(self._look, wanted, limiter=self._limiter)
        except Exception as error:  # noqa: BLE001  # this task must not end before the process does
            self._say_once(error)
            return error
        self._is_away = False
        now = asyncio.get_running_loop().time()
        for entry in entries:
            entry.snapshot = found[entry.job_id]
            if entry.snapshot is not entry.told and (is_round or self._is_urgent(entry, now)):
                entry.told, entry.told_at = entry.snapshot, now
                _tell(entry)
        return None

    def _is_urgent(self, entry: Entry, now: float) -> bool:
        """A new state is told at once. A fast job has new results many times a second: those are told in the rounds."""
        return now - entry.told_at >= self._watch_seconds or _stage(entry.snapshot) != _stage(entry.told)

    def _say_once(self, error: Exception) -> None:
        if not isinstance(error, DatabaseUnavailable):
            log.error("waiting_fault", exc_info=error)
        elif not self._is_away:
            self._is_away = True
            log.warning("waiting_without_database")


def _stage(snapshot: Snapshot | None) -> tuple[str, int] | None:
    """The state, and the run that it belongs to."""
    return None if snapshot is None else (snapshot.row.job.state, snapshot.row.job.retries)


def _tell(entry: Entry) -> None:
    for watch in entry.watches:
        watch.tell()
