"""Counters of the servers and of one worker, read before and after: what a job cost them."""

from dataclasses import dataclass, fields

import psutil
import redis
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.system import System

# A claim, the read of the chunk's images, and the look for more, beside the write.
ROUND_TRIPS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """All of them only go up. Seconds are of the processor, but for those of transactions and writes."""

    wal_bytes: float
    transactions: float
    redis_commands: float
    postgres_seconds: float
    api_seconds: float
    worker_seconds: float
    writes: float
    writing_seconds: float
    worker_transactions: float
    worker_transaction_seconds: float

    def __sub__(self, other: "Reading") -> "Reading":
        return Reading(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(Reading)))

    def __truediv__(self, seconds: float) -> "Reading":
        return Reading(*(getattr(self, one.name) / seconds for one in fields(Reading)))

    @property
    def write_seconds(self) -> float:
        """Of one chunk's results."""
        return self.writing_seconds / self.writes

    @property
    def round_trip_seconds(self) -> float:
        """What a chunk waits for the database beside the write: round trips of the mean length."""
        return (
            ROUND_TRIPS
            * (self.worker_transaction_seconds - self.writing_seconds)
            / (self.worker_transactions - self.writes)
        )


def read(system: System, port: int) -> Reading:
    """Read everything; ``port`` is where the worker serves its metrics."""
    pids = {server.name: server.pid for server in system.servers.all}
    pids |= {child.program.name: child.pid for child in system.children if child.program.name != "admin"}
    with system.sql() as sql:
        sql.execute("SELECT pg_stat_force_next_flush()")
        row = sql.execute(
            "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn, xact_commit + xact_rollback FROM pg_stat_database "
            "WHERE datname = current_database()"
        ).fetchone()
    worker = _metrics(port)
    return Reading(
        wal_bytes=float(row[0] if row else 0),
        transactions=float(row[1] if row else 0),
        redis_commands=_redis_commands(system),
        postgres_seconds=_processor_seconds(pids["postgres"]),
        api_seconds=_processor_seconds(pids["api"]),
        worker_seconds=_processor_seconds(pids["worker"]),
        writes=worker["phytobatch_stage_seconds_count"],
        writing_seconds=worker["phytobatch_stage_seconds_sum"],
        worker_transactions=worker["phytobatch_database_transaction_seconds_count"],
        worker_transaction_seconds=worker["phytobatch_database_transaction_seconds_sum"],
    )


def _processor_seconds(pid: int) -> float:
    """Of a process, its children, and those of its children that are gone."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    seconds = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return float(seconds)


def _redis_commands(system: System) -> float:
    client = redis.Redis.from_url(system.environment["PHYTOBATCH_REDIS_URL"])
    try:
        return float(dict(client.info("stats"))["total_commands_processed"])
    finally:
        client.close()


def _metrics(port: int) -> dict[str, float]:
    """Samples of the worker; of the stages, the writes alone."""
    with urllib3.PoolManager() as pool:
        text = pool.request("GET", f"http://127.0.0.1:{port}/metrics").data.decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("stage", "write") == "write" and "le" not in sample.labels
    }
