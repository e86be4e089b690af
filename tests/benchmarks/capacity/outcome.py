"""The outcome of a simulated day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.benchmarks.capacity.arrivals import Job

MINUTE = 60.0


@dataclass(slots=True)
class Outcome:
    """Seconds from the commit to the stored result, with the images that waited so long; seconds of each job."""

    waits: list[tuple[float, int]] = field(default_factory=list)
    urgent_waits: list[tuple[float, int]] = field(default_factory=list)
    job_seconds: dict[int, float] = field(default_factory=dict)
    images: int = 0
    chunks: int = 0
    ended_at: float = 0.0
    most_workers: int = 0
    most_open_chunks: int = 0
    worker_seconds: float = 0.0
    gave_up: bool = False
    _by_minute: Counter[int] = field(default_factory=Counter)

    def stored(self, job: Job, images: int, now: float) -> None:
        """The results of a chunk are stored."""
        (self.urgent_waits if job.urgent else self.waits).append((now - job.at, images))
        self.images += images
        self.chunks += 1
        self.ended_at = now
        self._by_minute[int(now / MINUTE)] += images

    @property
    def peak_images_per_second(self) -> float:
        """Of the busiest minute."""
        return max(self._by_minute.values(), default=0) / MINUTE


def percentile(waits: Iterable[tuple[float, int]], share: float) -> float:
    """The wait that ``share`` of the images do not exceed; 0 where there are none."""
    ordered = sorted(waits)
    needed = share * sum(images for _, images in ordered)
    seen = 0
    for seconds, images in ordered:
        seen += images
        if seen >= needed:
            return seconds
    return 0.0
