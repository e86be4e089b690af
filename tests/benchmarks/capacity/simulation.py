"""The simulation: events on a heap, each at its time; workers claim as the real ones do.

What it leaves out: failures, the network, the milliseconds of a wake-up, and that a worker which is told to stop hands
its chunks back (here it finishes them, which takes seconds).
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.capacity.arrivals import Job
from tests.benchmarks.capacity.crew import Crew
from tests.benchmarks.capacity.database import DatabaseServer
from tests.benchmarks.capacity.fair_queue import FairQueue
from tests.benchmarks.capacity.inputs import Scaling, Work, WorkerClass
from tests.benchmarks.capacity.outcome import Outcome
from tests.benchmarks.capacity.scaling_rule import ScalingRule
from tests.benchmarks.capacity.worker import Held, Worker

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Patience:
    """When a run may end early: more than ``images`` waited for longer than ``seconds``."""

    seconds: float
    images: float


class Simulation:
    """One run over a list of jobs. ``most`` is the number of workers, or the most of them with a ``scaling`` rule."""

    def __init__(  # what is simulated: work, workers, their number, the tenants
        self,
        work: Work,
        kind: WorkerClass,
        weights: Sequence[float],
        *,
        most: int,
        scaling: Scaling | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._work = work
        self._kind = kind
        self._scaling = scaling
        self._rule = ScalingRule(scaling or Scaling(), kind, most=most)
        self._patience = patience
        self._queue = FairQueue(weights, chunk_images=work.chunk_images)
        self._database = DatabaseServer(work)
        self._crew = Crew(kind, slots=work.slots)
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._numbers = itertools.count()
        self._now = 0.0
        self._left: dict[int, int] = {}  # images without a result, by job
        self._late = 0
        self._outcome = Outcome()
        for _ in range(most if scaling is None else kind.min_replicas):
            self._started(self._crew.order(0.0))

    def run(self, jobs: Sequence[Job]) -> Outcome:
        """Simulate until every job is over; where workers come and go, until the day is over too."""
        for job in jobs:
            self._left[job.number] = job.images
            self._at(job.at, self._committed, job)
        if self._scaling is not None:
            self._at(self._scaling.polling_seconds, self._poll, self._scaling.polling_seconds)
        while self._events and not self._outcome.gave_up:
            self._now, _, happens, what = heapq.heappop(self._events)
            happens(*what)
        self._crew.pay_all(self._now)
        self._outcome.worker_seconds, self._outcome.most_workers = self._crew.paid, self._crew.most
        self._outcome.most_open_chunks = self._queue.most_open
        return self._outcome

    def _at(self, when: float, happens: Callable[..., None], *what: object) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), happens, what))

    # What happens to jobs and chunks

    def _committed(self, job: Job) -> None:
        self._queue.committed(job)
        self._spread()

    def _validated(self, worker: Worker, held: Held) -> None:
        self._queue.validated(held.chunk.job)
        self._over(worker, held)
        self._spread()

    def _classified(self, worker: Worker, version: int) -> None:
        if version != worker.version:
            return
        for held in worker.classified(self._now):
            self._at(self._database.write(held.chunk.job.number, self._now), self._stored, worker, held)
        self._plan(worker)

    def _stored(self, worker: Worker, held: Held) -> None:
        job, images = held.chunk.job, held.chunk.images
        self._outcome.stored(job, images, self._now)
        self._left[job.number] -= images
        if not self._left[job.number]:
            del self._left[job.number]
            self._outcome.job_seconds[job.number] = self._now - job.at
        if self._patience is not None and self._now - job.at > self._patience.seconds:
            self._late += images
            self._outcome.gave_up = self._late > self._patience.images
        self._over(worker, held)

    def _over(self, worker: Worker, held: Held) -> None:
        self._queue.ended(held.chunk)
        worker.give_back(held)
        self._fill(worker)
        self._crew.leave_if_idle(worker, self._now)

    # What workers do

    def _spread(self) -> None:
        """Give what is ready to those who have the least to do."""
        for able in (Worker.can_take_any, Worker.can_take_urgent):
            while (worker := self._crew.idlest(able)) is not None and self._claim(worker):
                pass

    def _fill(self, worker: Worker) -> None:
        while worker.can_take_urgent() and self._claim(worker):
            pass

    def _claim(self, worker: Worker) -> bool:
        """One look for work, with a slot if one is free, otherwise with the express slot."""
        patient = worker.can_take_any()
        chunk = self._queue.claim(patient=patient)
        if chunk is None:
            return False
        held = worker.take(chunk, self._now, express=not patient)
        if chunk.rank.validates:
            seconds = self._work.validate_seconds_per_1000 * chunk.images / 1000 + self._work.round_trip_seconds
            self._at(self._now + seconds, self._validated, worker, held)
        else:
            self._plan(worker)
        return True

    def _plan(self, worker: Worker) -> None:
        if (ends := worker.next_end()) is not None:
            self._at(ends, self._classified, worker, worker.version)

    def _started(self, worker: Worker) -> None:
        if self._crew.started(worker):
            self._fill(worker)

    def _poll(self, pause: float) -> None:
        """Apply the decisions of KEDA and the autoscaler, at their intervals."""
        size = self._crew.size
        wanted = self._rule.wanted(self._now, self._queue.open, size)
        for _ in range(size, wanted):
            self._at(self._now + self._kind.startup_seconds, self._started, self._crew.order(self._now))
        for _ in range(wanted, size):
            self._crew.dismiss_one(self._now)
        if self._left or self._now < DAY:
            self._at(self._now + pause, self._poll, pause)
