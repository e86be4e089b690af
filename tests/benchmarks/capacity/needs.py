"""The needs of the servers around the workers for a plan: rows, bytes, transactions, connections, requests."""

from dataclasses import dataclass
from math import ceil

from tests.benchmarks.capacity.arrivals import HOUR, jobs_of_day
from tests.benchmarks.capacity.inputs import Inputs
from tests.benchmarks.capacity.plan import Plan

THOUSAND = 1_000
GIGABYTE = 1e9
DAYS_OF_MONTH = 30
LEAST_PROCESSORS = 2
LIST_PAGE = 1_000  # keys in one answer of ListObjectsV2


@dataclass(frozen=True, slots=True)
class Postgres:
    """The database. ``peak`` is the busiest minute of the simulated day."""

    rows_a_day: float
    gb_a_month: float
    results_kept: float
    gb_kept: float
    wal_gb_a_day: float
    transactions_peak: float
    processors: int
    connections: int


@dataclass(frozen=True, slots=True)
class Objects:
    """The object store: requests of a day, the most reads in a second, and what lies there."""

    puts: int
    gets: int
    lists: int
    gets_peak: float
    gb_a_day: float
    gb_kept: float

    @property
    def requests(self) -> int:
        """All of a day."""
        return self.puts + self.gets + self.lists


@dataclass(frozen=True, slots=True)
class Needs:
    """Everything beside the workers."""

    postgres: Postgres
    objects: Objects
    redis_commands_peak: float
    api_processors: int
    results_gb_a_day: float


def needs_of(inputs: Inputs, made: Plan) -> Needs:
    """The needs of a plan."""
    measured = inputs.measured
    thousands_peak = made.outcome.peak_images_per_second / THOUSAND
    hours = inputs.load.arrive_until - inputs.load.arrive_from
    api_busy = made.images / (hours * HOUR) / THOUSAND * measured.api_seconds_per_1000
    return Needs(
        postgres=_postgres(inputs, made),
        objects=_objects(inputs, made),
        redis_commands_peak=thousands_peak * measured.redis_commands_per_1000
        + made.outcome.most_workers * measured.idle_redis_commands_per_second,
        api_processors=_processors(api_busy, measured.busy_share),
        results_gb_a_day=made.images * measured.result_bytes / GIGABYTE,
    )


def _postgres(inputs: Inputs, made: Plan) -> Postgres:
    measured, connections = inputs.measured, inputs.connections
    thousands_peak = made.outcome.peak_images_per_second / THOUSAND
    return Postgres(
        rows_a_day=2 * made.images + made.outcome.chunks,
        gb_a_month=made.images * measured.database_bytes_per_image * DAYS_OF_MONTH / GIGABYTE,
        results_kept=made.images * inputs.prices.keep_days_results,
        gb_kept=made.images * measured.database_bytes_per_image * inputs.prices.keep_days_results / GIGABYTE,
        wal_gb_a_day=made.images / THOUSAND * measured.wal_bytes_per_1000 / GIGABYTE,
        transactions_peak=thousands_peak * measured.transactions_per_1000
        + made.outcome.most_workers * measured.idle_transactions_per_second,
        processors=_processors(thousands_peak * measured.postgres_seconds_per_1000, measured.busy_share),
        connections=connections.api * connections.api_replicas
        + connections.worker * made.workers
        + connections.deliverers,
    )


def _objects(inputs: Inputs, made: Plan) -> Objects:
    gb_a_day = made.images * inputs.load.image_megabytes / THOUSAND
    return Objects(
        puts=made.images,
        gets=made.images,
        lists=sum(ceil(job.images / LIST_PAGE) for job in jobs_of_day(inputs.load, made.images)),
        gets_peak=made.outcome.peak_images_per_second,
        gb_a_day=gb_a_day,
        gb_kept=gb_a_day * inputs.prices.keep_days_originals,
    )


def _processors(busy: float, share: float) -> int:
    return max(LEAST_PROCESSORS, ceil(busy / share))
