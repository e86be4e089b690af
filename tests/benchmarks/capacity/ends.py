"""Where each part ends: the images a second that it carries, as the inputs say, whatever the others do."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.capacity.inputs import Inputs
from tests.benchmarks.capacity.needs import THOUSAND

MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class End:
    """A part, what it cannot do more of, and the images a second at which that is reached."""

    part: str
    what: str
    images_per_second: float


def ends_of(inputs: Inputs) -> list[End]:
    """Every end, the nearest first."""
    return sorted(_ends(inputs), key=lambda end: end.images_per_second)


def _ends(inputs: Inputs) -> Iterator[End]:
    work, measured, limits = inputs.work, inputs.measured, inputs.limits
    yield End(
        "PostgreSQL: chunks",
        f"{work.database_chunks_per_second:g} chunks/s on 2 processors that also run everything else",
        work.database_chunks_per_second * work.chunk_images,
    )
    yield End(
        "PostgreSQL: the row of one job",
        f"{work.write_seconds:g} s of lock for each chunk; other jobs do not wait",
        work.chunk_images / work.write_seconds,
    )
    yield End(
        "PostgreSQL: write-ahead log",
        f"{limits.wal_mb_per_second:g} MB/s",
        limits.wal_mb_per_second * MEGABYTE / measured.wal_bytes_per_1000 * THOUSAND,
    )
    yield from _ends_of_connections(inputs)
    yield End("API: one processor", "making jobs and signing uploads", THOUSAND / measured.api_seconds_per_1000)
    yield End(
        "Redis: one processor",
        f"{limits.redis_commands_per_second:,.0f} commands/s",
        limits.redis_commands_per_second / measured.redis_commands_per_1000 * THOUSAND,
    )
    yield End("S3: uploads to one prefix", f"{limits.s3_puts_per_second:,.0f} PUT/s", limits.s3_puts_per_second)
    yield End("S3: reads from one prefix", f"{limits.s3_gets_per_second:,.0f} GET/s", limits.s3_gets_per_second)


def _ends_of_connections(inputs: Inputs) -> Iterator[End]:
    most, used = inputs.limits.postgres_connections, inputs.connections
    workers = max(0, most - used.api * used.api_replicas - used.deliverers) // used.worker
    for kind in inputs.workers:
        yield End(
            "PostgreSQL: connections",
            f"{most} of them: {workers} workers, {kind.name}",
            workers * kind.images_per_second,
        )
