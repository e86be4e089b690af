"""The room for decoded photographs: bytes of whole pictures that are in memory at a time, shared by runs.

A photograph of 48 megapixels has 144 MB, and stays until the last of its tiles is cut, which takes as long as the model
takes for most of them: seconds. So nobody may wait for room in a thread that others need. A photograph that finds none
stands in its run's line, and the run's consumer starts it later. Only a consumer ever waits, and only if its run has
nothing in the room. Those who have something need nothing more to go on: their consumers cut tiles themselves if no
thread does. So there is no circle, and nothing deadlocks. A consumer that pauses keeps its room meanwhile, and another
run may have to wait for it; it stays cancelable, because it waits a second at a time.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from worker.inference.budget import ByteBudget, Holder, Reservation

# Starts decoding, in another thread; it owns the reservation, and gets None if the run was abandoned before its turn.
Start = Callable[[Reservation | None], None]
# What is urgent is little, and never stands behind a flight.
URGENT_SHARE = 8


@dataclass(frozen=True, slots=True)
class DecodedRoom:
    """The room of a worker: one part for the runs that a client waits for, one for all others."""

    bulk: ByteBudget
    urgent: ByteBudget

    @classmethod
    def of(cls, size: int) -> "DecodedRoom":
        """Divide ``size`` bytes. A picture larger than its part is decoded alone there."""
        urgent = max(1, size // URGENT_SHARE)
        return cls(ByteBudget(max(1, size - urgent)), ByteBudget(urgent))

    @property
    def limit(self) -> int:
        """Bytes of decoded photographs that may be reserved at a time."""
        return self.bulk.limit + self.urgent.limit

    @property
    def in_use(self) -> int:
        """Bytes of decoded photographs that are reserved now."""
        return self.bulk.in_use + self.urgent.in_use


class RunRoom:
    """One run's line of photographs that wait for room, first come, first served.

    ``enter`` is called from any thread, everything else by the run's consumer. A run without tiles takes no part.
    """

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._holder: Holder | None = None
        self._line: deque[tuple[int, Start]] = deque()
        self._is_queued = False  # in the line of the budget, whose place another request would lose
        self._closed = False

    def enter(self, size: int, start: Start) -> None:
        """Start a photograph of ``size`` decoded bytes when there is room for it, at once or later."""
        with self._lock:
            if not self._closed:
                self._line.append((size, start))
                if not self._is_queued:
                    self._start_what_fits()
                return
        start(None)

    def start_waiting(self) -> None:
        """Start the photographs for which there is room by now."""
        with self._lock:
            self._is_queued = False
            self._start_what_fits()

    @property
    def must_wait(self) -> bool:
        """True if photographs wait, and nothing of this run will make room for them."""
        with self._lock:
            return bool(self._line) and (self._holder is None or not self._holder.in_use)

    def wait(self, seconds: float) -> bool:
        """Wait for room for the first photograph in line, and start it; return False if there was none."""
        with self._lock:
            self._is_queued = True
            (size, start), holder = self._line[0], self._own_holder()
        reservation = holder.reserve(size, seconds=seconds)  # Without the lock: ``enter`` never waits.
        if reservation is None:
            return False
        with self._lock:
            self._line.popleft()
            self._is_queued = False
        start(reservation)
        return True

    def close(self) -> None:
        """Forget the line, and leave; what has been started releases its bytes by itself."""
        with self._lock:
            self._closed = True
            line, self._line = self._line, deque()
            if self._holder is not None:
                self._holder.leave()
        for _, start in line:
            start(None)

    def _start_what_fits(self) -> None:
        while self._line:
            size, start = self._line[0]
            reservation = self._own_holder().reserve(size)
            if reservation is None:
                return
            self._line.popleft()
            start(reservation)

    def _own_holder(self) -> Holder:
        self._holder = self._holder or self._budget.holder()
        return self._holder
