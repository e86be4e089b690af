"""The slots of a worker: the kinds, the number of each, and the offers that they claim by."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.contracts.states import ChunkKind, Priority
from shared.jobs.chunks import EXPORT_POOLS, explain_pool_of, isolated_pool_of, tiles_pool_of
from shared.jobs.claims import Offer
from shared.settings import Settings

# Both are short and wait for the network.
CHECKS = (ChunkKind.VALIDATE, ChunkKind.INSPECT)


def express_offers(pools: Sequence[str]) -> list[Offer]:
    """List the work that somebody waits for, most urgent first: no bulk images, and no removals."""
    return [
        *(Offer(kind, Priority.INTERACTIVE) for kind in CHECKS),
        *_images(pools, Priority.INTERACTIVE),
        *(Offer(explain_pool_of(pool), Priority.INTERACTIVE) for pool in pools),
        *(Offer(kind, Priority.BULK) for kind in CHECKS),
    ]


def bulk_offers(pools: Sequence[str]) -> list[Offer]:
    """List everything but isolated chunks and exports, most urgent first."""
    return [
        *express_offers(pools),
        *_images(pools, Priority.BULK),
        Offer(ChunkKind.PURGE, Priority.INTERACTIVE),
        Offer(ChunkKind.PURGE, Priority.BULK),
    ]


def isolated_offers(pools: Sequence[str]) -> list[Offer]:
    """List the chunks whose pictures are all decoded in processes of their own."""
    return [Offer(isolated_pool_of(one.pool), Priority.BULK) for one in _images(pools, Priority.BULK)]


def _images(pools: Sequence[str], priority: Priority) -> list[Offer]:
    """List whole photographs and tiled ones of each classifier."""
    return [Offer(one, priority) for pool in pools for one in (pool, tiles_pool_of(pool))]


def export_offers(_: Sequence[str]) -> list[Offer]:
    """List exports, which need no classifier."""
    return [Offer(pool, Priority.BULK) for pool in EXPORT_POOLS.values()]


@dataclass(frozen=True, slots=True)
class SlotKind:
    """One kind of slot: its name, their number in a worker, and their offers, given the pools of the worker."""

    name: str
    count: Callable[[Settings], int]
    offers: Callable[[Sequence[str]], list[Offer]]


BULK = SlotKind("bulk", lambda settings: settings.worker_slots, bulk_offers)
# They are tried in this order, so an express slot stays free until the others are taken.
SLOT_KINDS = (
    BULK,
    # Unusual pictures may take seconds each; no bulk image waits for them.
    SlotKind("isolated", lambda _: 1, isolated_offers),
    # An export takes seconds to minutes; neither it nor images wait for the other.
    SlotKind("export", lambda _: 1, export_offers),
    # Interactive photographs and validations do not wait for the chunk of a whole flight.
    SlotKind("express", lambda _: 1, express_offers),
)


def count_slots(settings: Settings) -> int:
    """Return the number of slots of all kinds, which is the number of chunks that a worker runs at a time."""
    return sum(kind.count(settings) for kind in SLOT_KINDS)


class Slots:
    """The slots of one kind. Taking one never blocks."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """The number in use now."""
        return self._taken

    def take(self) -> bool:
        """Take one; ``False`` when none is free."""
        with self._lock:
            if self._taken == self.count:
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Give one back that was taken."""
        with self._lock:
            self._taken -= 1
