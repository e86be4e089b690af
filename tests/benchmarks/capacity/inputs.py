"""Every input of the calculation: name, default, unit, and where the default comes from.

`assumed` marks what nobody measured; `list price` what a vendor asks, for you to replace by your own contract's.
"""

from dataclasses import dataclass, field
from typing import Any

from shared.contracts.manifest import ManifestTiling
from shared.settings import Settings
from tests.benchmarks.capacity.sources import (
    ACCELERATOR,
    AWS_EXAMPLE,
    BENCHMARK,
    CHART,
    CODE,
    H100,
    HPA,
    PRICES,
    S3_RATE,
    THROUGHPUT,
    TILES_LOOP,
)


def _given(default: Any, unit: str, source: str) -> Any:  # noqa: ANN401  # as dataclasses.field
    return field(default=default, metadata={"unit": unit, "source": source})


def _setting(name: str, unit: str) -> Any:  # noqa: ANN401  # as dataclasses.field
    return _given(Settings.model_fields[name].default, unit, f"PHYTOBATCH_{name.upper()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The images of a day, and the tenants that send them."""

    arrive_from: float = _given(10.0, "hour of the day", "assumed: flights land from then on")
    arrive_until: float = _given(16.0, "hour of the day", "assumed: the last flight lands")
    least_job: int = _given(2_000, "images", "assumed: the smallest flight")
    most_job: int = _given(20_000, "images", "assumed: the largest flight")
    small_jobs_per_million: int = _given(500, "jobs", "assumed: interactive jobs beside each million of images")
    small_job_images: int = _given(10, "images", "assumed")
    tenants: int = _given(50, "tenants", "assumed")
    heavy_tenants: int = _given(5, "tenants", "assumed: those of more weight")
    heavy_weight: int = _given(4, "weight", "assumed; the others have 1")
    image_megabytes: float = _given(0.9, "MB", f"{THROUGHPUT}, full-size set; drones write 5 to 12")
    seed: int = _given(1, "", "which day is simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The goal for the number of workers."""

    wait_seconds: float = _given(900.0, "s", "assumed: from the commit to the stored result of an image")
    share: float = _given(0.95, "of the images", "the issue: the 95th percentile")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerClass:
    """A kind of worker, with the values that its pool has in the chart."""

    name: str = "cpu-2"
    images_per_second: float = _given(65.3, "images/s", f"{THROUGHPUT}, full-size, 2 processors")
    startup_seconds: float = _given(120.0, "s", "assumed: a node, the image, the model")
    price_per_hour: float = _given(0.085, "$", f"list price of 2 processors, {AWS_EXAMPLE}")
    min_replicas: int = _given(1, "workers", CHART)
    chunks_per_replica: int = _given(50, "open chunks", CHART)
    activation_chunks: int = _given(0, "open chunks", CHART)


GPU = WorkerClass(
    name="gpu-h100", images_per_second=276.0, startup_seconds=300.0, price_per_hour=4.916, min_replicas=0,
    chunks_per_replica=200, activation_chunks=0,
)  # fmt: skip
# Where the values of a class come from, when it is not the first one.
SOURCES_OF_GPU = {
    "images_per_second": f"{ACCELERATOR}: what its 16 processors decode; the GPU alone takes 6,600",
    "startup_seconds": "assumed: a node with a GPU, a larger image",
    "price_per_hour": f"list price of one of eight, {H100}",
    "min_replicas": CHART,
    "chunks_per_replica": CHART,
    "activation_chunks": f"{CHART}: 0 where GPU workers are the only ones",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The cost of a chunk in a worker and in the database."""

    chunk_images: int = _setting("chunk_images", "images")
    slots: int = _setting("worker_slots", "chunks")
    round_trip_seconds: float = _given(0.0072, "s", f"{BENCHMARK}: claim, read, and what else a chunk waits for")
    write_seconds: float = _given(0.0062, "s", f"{BENCHMARK}: under the lock of the job's row")
    validate_seconds_per_1000: float = _given(0.128, "s", f"{BENCHMARK}: listing and cutting, per 1,000 images")
    database_chunks_per_second: float = _given(
        100.0, "chunks/s", "tests.benchmarks.queue_limit, 2 workers, 1 job: everything on 2 processors"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The rule of the chart: KEDA asks the database, a HorizontalPodAutoscaler follows."""

    polling_seconds: float = _given(15.0, "s", CHART)
    cooldown_seconds: float = _given(300.0, "s", CHART)
    stabilization_seconds: float = _given(300.0, "s", f"{HPA}: the highest wish of so long counts on the way down")
    tolerance: float = _given(0.1, "", f"{HPA}: smaller differences change nothing")
    add_pods: int = _given(4, "workers", f"{HPA}: at most so many more in 15 s, or twice as many")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The rows, bytes and seconds of an image on the servers."""

    database_bytes_per_image: float = _given(650.0, "bytes", "tests.benchmarks.footprint: tables and indexes")
    wal_bytes_per_1000: float = _given(869_924.0, "bytes", BENCHMARK)
    transactions_per_1000: float = _given(268.0, "transactions", BENCHMARK)
    idle_transactions_per_second: float = _given(5.17, "transactions/s", f"{BENCHMARK}: of each worker without work")
    redis_commands_per_1000: float = _given(1_110.0, "commands", BENCHMARK)
    idle_redis_commands_per_second: float = _given(4.08, "commands/s", f"{BENCHMARK}: of each worker without work")
    postgres_seconds_per_1000: float = _given(0.278, "s of processor", BENCHMARK)
    api_seconds_per_1000: float = _given(0.167, "s of processor", BENCHMARK)
    result_bytes: float = _given(1_000.0, "bytes", "assumed: JSON of one result, as results pages and exports send it")
    busy_share: float = _given(0.5, "", "assumed: how busy the processors of servers may be at the peak")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """List prices in US dollars; replace them by yours."""

    processor_hour: float = _given(0.0425, "$", f"API, Redis, deliverer: {AWS_EXAMPLE}")
    postgres_processor_hour: float = _given(0.065, "$", f"with a standby: {PRICES['rds']}")
    postgres_gb_month: float = _given(0.23, "$", f"with a standby, twice: {PRICES['rds storage']}")
    put_per_1000: float = _given(0.005, "$", f"also LIST: {PRICES['s3']}")
    get_per_1000: float = _given(0.0004, "$", PRICES["s3"])
    stored_gb_month: float = _given(0.023, "$", PRICES["s3"])
    egress_gb: float = _given(0.09, "$", f"results to the internet; to workers in the same region 0: {PRICES['s3']}")
    keep_days_originals: int = _given(
        30, "days", "assumed: PHYTOBATCH_KEEP_DAYS_ORIGINALS, which is for ever by default"
    )
    keep_days_results: int = _given(365, "days", "assumed: PHYTOBATCH_KEEP_DAYS_RESULTS, which is for ever by default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Connections that each program may open, as the code has them."""

    api: int = _given(17, "connections", f"{CODE} api/main.py, and one for the metrics")
    api_replicas: int = _given(2, "programs", CHART)
    worker: int = _given(13, "connections", f"{CODE} worker/process.py, with 2 slots and the lifeline")
    deliverers: int = _given(4, "connections", f"{CODE} worker/webhooks/process.py, two programs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flights:
    """A flight whose photographs are answered in tiles, and the cost of a tile."""

    photographs: int = _given(500, "photographs", "assumed: a flight over some hectares")
    edge: int = _given(ManifestTiling().edge, "pixels", "the edge of a manifest that names none; no overlap")
    tile_milliseconds: float = _given(10.1, "ms of processor", TILES_LOOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of servers, as their vendors state them."""

    s3_gets_per_second: float = _given(5_500.0, "requests/s", f"of one prefix, {S3_RATE}")
    s3_puts_per_second: float = _given(3_500.0, "requests/s", f"of one prefix, {S3_RATE}")
    postgres_connections: int = _given(500, "connections", "assumed: max_connections of a server of 8 GB and more")
    wal_mb_per_second: float = _given(125.0, "MB/s", f"what gp3 includes: {PRICES['rds storage']}")
    redis_commands_per_second: float = _given(50_000.0, "commands/s", "assumed: of one processor without pipelining")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All of them, by section."""

    load: Load = field(default_factory=Load)
    target: Target = field(default_factory=Target)
    work: Work = field(default_factory=Work)
    scaling: Scaling = field(default_factory=Scaling)
    measured: Measured = field(default_factory=Measured)
    prices: Prices = field(default_factory=Prices)
    connections: Connections = field(default_factory=Connections)
    flights: Flights = field(default_factory=Flights)
    limits: Limits = field(default_factory=Limits)
    workers: tuple[WorkerClass, ...] = (WorkerClass(), GPU)
