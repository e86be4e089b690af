"""The workers of a simulation: those that work, those that start, and what they cost in time."""

from collections.abc import Callable

from tests.benchmarks.capacity.inputs import WorkerClass
from tests.benchmarks.capacity.worker import Worker


class Crew:
    """The workers. ``paid`` counts the seconds of those that left, from their order to their end."""

    def __init__(self, kind: WorkerClass, *, slots: int) -> None:
        self._kind = kind
        self._slots = slots
        self._working: list[Worker] = []
        self._starting: list[Worker] = []
        self.paid = 0.0
        self.most = 0

    @property
    def size(self) -> int:
        """Workers that work or start; those that leave are not counted."""
        return len(self._starting) + sum(not worker.is_leaving for worker in self._working)

    def order(self, now: float) -> Worker:
        """A new worker, which does nothing until it has started."""
        worker = Worker(images_per_second=self._kind.images_per_second, slots=self._slots, since=now)
        self._starting.append(worker)
        return worker

    def started(self, worker: Worker) -> bool:
        """It is ready; ``False`` when it was told to leave before."""
        if worker.is_leaving:
            return False
        self._starting.remove(worker)
        self._working.append(worker)
        self.most = max(self.most, len(self._working))
        return True

    def idlest(self, able: Callable[[Worker], bool]) -> Worker | None:
        """The one with the least to do, of those that are ``able``."""
        return min(filter(able, self._working), key=lambda one: one.busy, default=None)

    def dismiss_one(self, now: float) -> None:
        """Tell one to leave: one that only starts, otherwise the idlest."""
        if self._starting:
            worker = self._starting.pop()
            worker.is_leaving = True
            self._pay(worker, now)
        elif (worker_or_none := self.idlest(lambda one: not one.is_leaving)) is not None:
            worker_or_none.is_leaving = True
            self.leave_if_idle(worker_or_none, now)

    def leave_if_idle(self, worker: Worker, now: float) -> None:
        """One that was told to leave is gone when its chunks are over."""
        if worker.is_leaving and not worker.busy:
            self._working.remove(worker)
            self._pay(worker, now)

    def pay_all(self, now: float) -> None:
        """The day is over for everybody."""
        for worker in [*self._working, *self._starting]:
            self._pay(worker, now)

    def _pay(self, worker: Worker, now: float) -> None:
        self.paid += now - worker.since
