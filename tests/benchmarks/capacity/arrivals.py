"""The jobs of a day: flights that land within a few hours, and small jobs that somebody waits for."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.capacity.inputs import Load

HOUR = 3600.0
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """A job at its commit, ``at`` seconds after midnight. Numbers order jobs as their ids do: by age."""

    number: int
    tenant: int
    at: float
    images: int
    urgent: bool = False


def weights(load: Load) -> list[int]:
    """The weight of each tenant."""
    return [load.heavy_weight if tenant < load.heavy_tenants else 1 for tenant in range(load.tenants)]


def jobs_of_day(load: Load, images: int) -> list[Job]:
    """Jobs in the order of their commits; together they have ``images`` images. The same seed makes the same day."""
    draw = random.Random(load.seed).random  # noqa: S311  # no secret, and the same on every Python
    small = images * load.small_jobs_per_million // MILLION
    sizes = [(load.small_job_images, True)] * small
    sizes += [(size, False) for size in _sizes(load, images - small * load.small_job_images, draw)]
    seconds = (load.arrive_until - load.arrive_from) * HOUR
    drawn = sorted((load.arrive_from * HOUR + draw() * seconds, size, urgent) for size, urgent in sizes)
    return [
        Job(number, int(draw() * load.tenants), at, size, urgent) for number, (at, size, urgent) in enumerate(drawn)
    ]


def _sizes(load: Load, images: int, draw: Callable[[], float]) -> list[int]:
    sizes = []
    while images > 0:
        size = min(images, load.least_job + int(draw() * (load.most_job - load.least_job + 1)))
        sizes.append(size)
        images -= size
    return sizes
