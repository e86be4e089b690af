"""A bound on the bytes in memory at a time, shared by the runs of a worker."""

import threading
import time
from collections import deque


class ByteBudget:
    """Reservations of bytes by holders: each run holds its share of them, and queues for more.

    A holder may have the whole budget while it is alone, and an even part while there are others, so that one run's
    slow pictures never keep the bytes that another needs. The queue is first come, first served: without it a large
    image would wait for ever while small ones pass. A reservation larger than the whole budget is granted alone.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"the budget must be at least 1 byte, got {limit}")
        self._limit = limit
        self._in_use = 0
        self._changed = threading.Condition()
        self._holders: set[Holder] = set()
        self._line: deque[Holder] = deque()

    @property
    def limit(self) -> int:
        """Bytes that may be reserved at a time."""
        return self._limit

    @property
    def in_use(self) -> int:
        """Bytes that are reserved now."""
        return self._in_use

    def holder(self) -> "Holder":
        """Add a holder, which takes part until it leaves."""
        holder = Holder(self)
        with self._changed:
            self._holders.add(holder)
        return holder

    def _reserve(self, holder: "Holder", size: int, seconds: float) -> "Reservation | None":
        size = min(max(size, 1), self._limit)
        deadline = time.monotonic() + seconds
        with self._changed:
            if holder not in self._line:
                self._line.append(holder)  # It keeps its place when it asks again after a timeout.
            granted = self._changed.wait_for(
                lambda: self._may_pass(holder, size), max(0.0, deadline - time.monotonic())
            )
            if not granted and seconds > 0:
                return None
            self._line.remove(holder)
            self._changed.notify_all()  # The next in line may fit beside this one.
            if not granted:
                return None
            self._in_use += size
            holder.in_use += size
        return Reservation(holder, size)

    def _may_pass(self, holder: "Holder", size: int) -> bool:
        share = self._limit // max(1, len(self._holders))
        within_share = holder.in_use == 0 or holder.in_use + size <= share
        return self._line[0] is holder and within_share and self._in_use + size <= self._limit

    def _change(self, holder: "Holder", size: int) -> None:
        with self._changed:
            self._in_use += size
            holder.in_use += size
            self._changed.notify_all()

    def _leave(self, holder: "Holder") -> None:
        with self._changed:
            self._holders.discard(holder)
            if holder in self._line:
                self._line.remove(holder)
            self._changed.notify_all()


class Holder:
    """One run's part of a budget. ``reserve`` is called from one thread."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.in_use = 0

    def reserve(self, size: int, *, seconds: float = 0.0) -> "Reservation | None":
        """Reserve ``size`` bytes; return None if they are not free within ``seconds``.

        A call without ``seconds`` takes what is free and leaves the queue; one with ``seconds`` keeps its place in it.
        """
        return self._budget._reserve(self, size, seconds)  # noqa: SLF001  # these classes are one thing

    def leave(self) -> None:
        """Stop taking part; reservations stay until they are released."""
        self._budget._leave(self)  # noqa: SLF001  # as above


class Reservation:
    """Bytes that were granted. ``release`` may be called more than once."""

    def __init__(self, holder: Holder, size: int) -> None:
        self._holder = holder
        self.size = size

    def settle(self, size: int) -> None:
        """Correct the number of bytes to the real one. Never waits: the bytes are in memory already."""
        self._holder._budget._change(self._holder, size - self.size)  # noqa: SLF001  # as above
        self.size = size

    def release(self) -> None:
        """Free the bytes."""
        self.settle(0)
