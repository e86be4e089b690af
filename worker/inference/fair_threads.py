"""Threads whose time is shared evenly between the runs that use them, however long one call takes.

An executor of the standard library takes calls in the order in which they came: a run with a hundred slow pictures
holds up another one with a few small ones. Here the next call is one of the run that has used the least time (weighted
fair queueing with equal weights; Demers, Keshav, Shenker 1989).
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, slots=True)
class Share:
    """One run's calls and the time that they have used. The run calls only ``submit`` and ``cancel``."""

    threads: "FairThreads"
    used_seconds: float = 0.0
    waiting: deque[tuple[Future[Any], Callable[[], Any]]] = field(default_factory=deque)
    running: dict[int, float] = field(default_factory=dict)  # thread id: when its call began

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        """Queue a call for the threads."""
        return self.threads.submit(self, call)

    def cancel(self) -> None:
        """Cancel every call that has not begun."""
        self.threads.cancel(self)

    @property
    def active(self) -> bool:
        """True while a call of this share waits or runs."""
        return bool(self.waiting or self.running)

    def cost(self, now: float) -> float:
        """Return the seconds of threads that this share has used until ``now``."""
        return self.used_seconds + sum(now - began for began in self.running.values())


class FairThreads:
    """A fixed number of threads, started on demand."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._changed = threading.Condition()
        self._shares: list[Share] = []  # those that are active
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def share(self) -> Share:
        """Make a share for a run."""
        return Share(self)

    def submit(self, share: Share, call: Callable[[], Any]) -> Future[Any]:
        """See ``Share.submit``.

        Raises:
            RuntimeError: the threads were closed.
        """
        future: Future[Any] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("these threads were closed")
            if not share.active:
                self._enter(share)
            share.waiting.append((future, call))
            if not self._idle and len(self._threads) < self._count:
                self._start_thread()
            self._changed.notify()
        return future

    def cancel(self, share: Share) -> None:
        """See ``Share.cancel``."""
        with self._changed:
            waiting = list(share.waiting)
            share.waiting.clear()
            if share in self._shares and not share.active:
                self._shares.remove(share)
        for future, _ in waiting:  # Outside of the lock: canceling calls back.
            future.cancel()

    def close(self) -> None:
        """Cancel what waits, wait for what runs, and end the threads."""
        with self._changed:
            self._closed = True
            shares = list(self._shares)
            self._changed.notify_all()
        for share in shares:
            self.cancel(share)
        for thread in self._threads:
            thread.join()

    def _enter(self, share: Share) -> None:
        """Raise the share's used time to that of the others, so that an idle share saves nothing up."""
        now = time.monotonic()
        if self._shares:
            share.used_seconds = max(share.used_seconds, min(other.cost(now) for other in self._shares))
        self._shares.append(share)

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        me = threading.get_ident()
        while (taken := self._take(me)) is not None:
            share, future, call = taken
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001  # Raised again where the result is asked for.
                    future.set_exception(error)
            del future, call, taken  # They would keep a picture in memory until the next one comes.
            self._leave(share, me)

    def _take(self, me: int) -> tuple[Share, Future[Any], Callable[[], Any]] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._closed or any(share.waiting for share in self._shares))
            self._idle -= 1
            ready = [share for share in self._shares if share.waiting]
            if not ready:
                return None
            now = time.monotonic()
            share = min(ready, key=lambda share: share.cost(now))
            share.running[me] = now
            return share, *share.waiting.popleft()

    def _leave(self, share: Share, me: int) -> None:
        with self._changed:
            share.used_seconds += time.monotonic() - share.running.pop(me)
            if not share.active:
                self._shares.remove(share)
