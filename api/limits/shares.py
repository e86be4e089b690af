"""Shares of what many clients use in one API process: one key and one tenant may hold so much of it at a time.

A holder of nothing always gets its first piece, however large, as long as the whole has room for it.
All of it belongs to the event loop.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, Self, TypeVar

from starlette.concurrency import run_in_threadpool

from shared.errors import NoRoom, TooManyAtATime, TooManyWaiting, Unavailable
from shared.settings import Settings

RETRY_SECONDS = 2

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a share: a key, by its public part, and its tenant."""

    tenant_id: uuid.UUID
    key: str


@dataclass(frozen=True, slots=True)
class Shares:
    """The parts of a whole that one key and one tenant may hold, each above 0 and at most 1."""

    key: float
    tenant: float

    @classmethod
    def of(cls, settings: Settings) -> "Shares":
        """Take them from the settings."""
        return cls(settings.key_share, settings.tenant_share)

    def limits(self, holder: Holder, size: int) -> Iterator[tuple[Hashable, int, str]]:
        """Give each part of the holder, how much of ``size`` it may hold (at least 1), and the setting that says so.

        The key comes first, then its tenant.
        """
        yield holder.key, max(1, int(size * self.key)), "PHYTOBATCH_KEY_SHARE"
        yield holder.tenant_id, max(1, int(size * self.tenant)), "PHYTOBATCH_TENANT_SHARE"


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of pieces in a pool: words for them, the code of a refused share, the error when all are used up."""

    words: str
    code: str
    error: Callable[[str], Unavailable]


WAITING = Kind("clients that wait", "too-many-waiting", TooManyWaiting)
BODIES = Kind("bytes of request bodies", "too-many-at-a-time", NoRoom)


class Place:
    """Pieces of a pool. Giving them back twice is harmless."""

    def __init__(self, pool: "Pool", holder: Holder) -> None:
        self._pool = pool
        self._holder = holder
        self._amount = 0

    @property
    def amount(self) -> int:
        """Their number."""
        return self._amount

    def hold(self, amount: int) -> None:
        """Hold so many pieces instead; fewer, or none, is always granted.

        Raises:
            Unavailable: all of them together hold the whole.
            TooManyAtATime: the key or its tenant holds its share.
        """
        if amount > self._amount:
            self._pool.check(self._holder, amount, instead_of=self._amount)
        self._pool.count(self._holder, amount - self._amount)
        self._amount = amount

    def give_back(self) -> None:
        """Give the pieces back."""
        self.hold(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()


class Pool:
    """A number of pieces; a request for more than are left is refused."""

    def __init__(self, size: int, shares: Shares, kind: Kind) -> None:
        self._size = size
        self._shares = shares
        self._kind = kind
        self._held: Counter[Hashable] = Counter()
        self._total = 0

    @property
    def held(self) -> int:
        """Pieces that all of them hold together."""
        return self._total

    def take(self, holder: Holder, amount: int = 1) -> Place:
        """Hold so many pieces.

        Raises:
            Unavailable: all of them together hold the whole.
            TooManyAtATime: the key or its tenant holds its share.
        """
        place = Place(self, holder)
        place.hold(amount)
        return place

    def check(self, holder: Holder, amount: int, *, instead_of: int = 0) -> None:
        """Return if the holder may hold so many pieces in place of those that it holds already.

        Raises:
            Unavailable, TooManyAtATime: see ``take``.
        """
        others = self._total - instead_of
        if others and others + amount > self._size:
            raise self._kind.error(
                f"this process holds as many {self._kind.words} as it may ({self._size}); come again in a few seconds"
            )
        for who, limit, setting in self._shares.limits(holder, self._size):
            others = self._held[who] - instead_of
            if others and others + amount > limit:
                raise TooManyAtATime(
                    f"of the {self._kind.words} of this process {limit} may be of one "
                    f"{'key' if who == holder.key else 'tenant'}; end some, or come again in a few seconds",
                    code=self._kind.code,
                    retry_after=RETRY_SECONDS,
                    setting=setting,
                )

    def count(self, holder: Holder, amount: int) -> None:
        """Count so many more pieces of the holder; fewer if it is negative."""
        self._total += amount
        for who in (holder.key, holder.tenant_id):
            self._held[who] += amount
            if not self._held[who]:
                del self._held[who]


class Bodies:
    """Bytes of request bodies. Small ones are counted apart: an upload that takes an hour stops no other request."""

    def __init__(self, size: int, shares: Shares, *, small: int) -> None:
        """``small``: the bytes of the largest body that counts as a small one. They have a quarter of the whole."""
        self._small = small
        of_small = max(1, size // 4)
        self._pools = {True: Pool(of_small, shares, BODIES), False: Pool(size - of_small, shares, BODIES)}

    def take(self, holder: Holder, amount: int) -> Place:
        """Hold a place for a body of so many bytes; one of none is always granted.

        Raises:
            Unavailable, TooManyAtATime: see ``Pool.take``.
        """
        return self._pools[amount <= self._small].take(holder, amount)


@dataclass(slots=True)
class _Line:
    """The requests of one key or tenant that run, and that wait for their turn."""

    free: asyncio.Semaphore
    users: int = 0


@dataclass(slots=True)
class Turns:
    """Threads and database connections: none is refused, but a key that has its share waits for its own requests."""

    size: int
    shares: Shares
    _lines: dict[Hashable, _Line] = field(default_factory=dict)

    @asynccontextmanager
    async def one(self, holder: Holder) -> AsyncIterator[None]:
        """Hold a turn of the key and its tenant, for the length of the block."""
        (key, of_key, _), (tenant, of_tenant, _) = self.shares.limits(holder, self.size)
        async with self._in_line(key, of_key), self._in_line(tenant, of_tenant):
            yield

    async def run(self, holder: Holder, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread, in its turn, and return what it returns."""
        async with self.one(holder):
            return await run_in_threadpool(function, *args, **kwargs)

    @asynccontextmanager
    async def _in_line(self, who: Hashable, limit: int) -> AsyncIterator[None]:
        line = self._lines.setdefault(who, _Line(asyncio.Semaphore(limit)))
        line.users += 1
        try:
            async with line.free:
                yield
        finally:
            line.users -= 1
            if not line.users:
                del self._lines[who]
