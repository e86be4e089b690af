"""A bound on the encoded bytes that are in memory at a time, over all runs of a pipeline."""

import threading
from collections import deque


class ByteBudget:
    """Reservations of bytes, granted in the order in which they were asked for.

    First come, first served: without it a large image would wait for ever while small ones pass. A reservation larger
    than the whole budget is granted alone.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"the budget must be at least 1 byte, got {limit}")
        self._limit = limit
        self._in_use = 0
        self._changed = threading.Condition()
        self._waiting: deque[Reservation] = deque()

    @property
    def limit(self) -> int:
        """Bytes that may be reserved at a time."""
        return self._limit

    @property
    def in_use(self) -> int:
        """Bytes that are reserved now."""
        return self._in_use

    def reserve(self, size: int, abandoned: threading.Event) -> "Reservation | None":
        """Wait for ``size`` bytes; None as soon as ``abandoned`` is set (call ``wake`` after setting it)."""
        reservation = Reservation(self, min(max(size, 1), self._limit))
        with self._changed:
            self._waiting.append(reservation)
            try:
                self._changed.wait_for(lambda: abandoned.is_set() or self._may_pass(reservation))
                if abandoned.is_set():
                    return None
                self._in_use += reservation.size
            finally:
                self._waiting.remove(reservation)
                self._changed.notify_all()  # The next in line may fit beside this one.
        return reservation

    def wake(self) -> None:
        """Let everyone who waits look at their ``abandoned`` again."""
        with self._changed:
            self._changed.notify_all()

    def _may_pass(self, reservation: "Reservation") -> bool:
        return self._waiting[0] is reservation and self._in_use + reservation.size <= self._limit

    def _give_back(self, reservation: "Reservation") -> None:
        with self._changed:
            self._in_use -= reservation.size
            reservation.size = 0
            self._changed.notify_all()

    def _set_size(self, reservation: "Reservation", size: int) -> None:
        with self._changed:
            self._in_use += size - reservation.size
            reservation.size = size
            self._changed.notify_all()


class Reservation:
    """Bytes that were granted. ``release`` may be called more than once."""

    def __init__(self, budget: ByteBudget, size: int) -> None:
        self._budget = budget
        self.size = size

    def settle(self, size: int) -> None:
        """Say how many bytes it really became. Never waits: the bytes are there already."""
        self._budget._set_size(self, size)  # noqa: SLF001  # the two classes are one thing

    def release(self) -> None:
        """Give everything back."""
        self._budget._give_back(self)  # noqa: SLF001  # the two classes are one thing
