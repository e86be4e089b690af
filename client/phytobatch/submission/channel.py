"""A bounded queue between threads that can be closed by its writers and aborted by anybody."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from phytobatch.errors import Interrupted

T = TypeVar("T")


class Channel(Generic[T]):
    """A queue of at most ``capacity`` items; it ends for its readers when each of ``writers`` has closed it."""

    def __init__(self, capacity: int, *, writers: int = 1) -> None:
        self._capacity = capacity
        self._open_writers = writers
        self._items: deque[T] = deque()
        self._aborted = False
        self._changed = threading.Condition()

    def put(self, item: T) -> None:
        """Add an item; waits while the channel is full.

        Raises:
            Interrupted: the channel was aborted.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or len(self._items) < self._capacity)
            self._check()
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """Close the channel for one writer."""
        with self._changed:
            self._open_writers -= 1
            self._changed.notify_all()

    def abort(self) -> None:
        """Wake every thread that waits; nothing goes in or out from now on."""
        with self._changed:
            self._aborted = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Take items until the channel is closed and empty.

        Raises:
            Interrupted: the channel was aborted.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._aborted or self._items or self._open_writers <= 0)
                self._check()
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _check(self) -> None:
        if self._aborted:
            raise Interrupted("The submission was stopped.")
