"""The queue as the claim sees it (``shared/jobs/claims.py``): urgency, then the tenants' shares, then age."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from shared.jobs.cut import cut
from tests.benchmarks.capacity.arrivals import Job


class Rank(IntEnum):
    """The order in which a slot takes work. The express slot takes no bulk."""

    VALIDATE_URGENT = 0
    URGENT = 1
    VALIDATE = 2
    BULK = 3

    @property
    def validates(self) -> bool:
        """True if such a chunk lists a job; the others classify."""
        return self in {Rank.VALIDATE_URGENT, Rank.VALIDATE}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a job that one slot works on."""

    job: Job
    rank: Rank
    images: int


@dataclass(frozen=True, slots=True)
class _Ready:
    job: Job
    sizes: deque[int]


class FairQueue:
    """Ready chunks by rank and tenant, and how many each tenant runs."""

    def __init__(self, weights: Sequence[float], *, chunk_images: int) -> None:
        self._weights = weights
        self._chunk_images = chunk_images
        self._ready: list[dict[int, deque[_Ready]]] = [{} for _ in Rank]
        self.running = [0] * len(weights)
        self.open = 0
        self.most_open = 0

    def committed(self, job: Job) -> None:
        """One chunk that validates the job."""
        self._add(Rank.VALIDATE_URGENT if job.urgent else Rank.VALIDATE, _Ready(job, deque([job.images])))

    def validated(self, job: Job) -> None:
        """The chunks that classify it."""
        self._add(Rank.URGENT if job.urgent else Rank.BULK, _Ready(job, deque(cut(job.images, self._chunk_images))))

    def claim(self, *, patient: bool) -> Chunk | None:
        """The fairest ready chunk; a slot that is not ``patient`` takes no bulk."""
        for rank in Rank if patient else (Rank.VALIDATE_URGENT, Rank.URGENT, Rank.VALIDATE):
            if waiting := self._ready[rank]:
                return self._take(rank, waiting)
        return None

    def ended(self, chunk: Chunk) -> None:
        """A chunk is done."""
        self.running[chunk.job.tenant] -= 1
        self.open -= 1

    def _add(self, rank: Rank, ready: _Ready) -> None:
        self._ready[rank].setdefault(ready.job.tenant, deque()).append(ready)
        self.open += len(ready.sizes)
        self.most_open = max(self.open, self.most_open)

    def _take(self, rank: Rank, waiting: dict[int, deque[_Ready]]) -> Chunk:
        running, weights = self.running, self._weights
        _, _, tenant = min((running[t] / weights[t], jobs[0].job.number, t) for t, jobs in waiting.items())
        jobs = waiting[tenant]
        chunk = Chunk(jobs[0].job, rank, jobs[0].sizes.popleft())
        if not jobs[0].sizes:
            jobs.popleft()
            if not jobs:
                del waiting[tenant]
        running[tenant] += 1
        return chunk
