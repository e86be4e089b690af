"""``python -m tests.benchmarks.queue_limit``: how many images a second the queue itself carries.

Everything is as in production (API, beat, Postgres with fsync, Valkey, workers), but the workers read no photograph,
ask no model and list no objects: what was announced has arrived (``tests/benchmarks/nothing.py``). One, two and four
workers on one job, and two on jobs of four tenants. ``--statements`` prints what Postgres was asked, most expensive
first.
"""

import argparse
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import redis

from phytobatch import ClassifierRef, ImageSpec, Phytobatch
from shared.classifiers import registry
from shared.db.session import Database
from shared.settings import Settings
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.nothing import MANIFEST
from tests.benchmarks.throughput import production_system
from tests.integration.conftest import insert_key, insert_tenant
from tests.patience import wait_for

GOAL = "≥ 3,000"
PAGE = 1000
POLL_SECONDS = 0.1
WAIT_SECONDS = 120.0
# Workers, and tenants with a job each.
CASES = ((1, 1), (2, 1), (4, 1), (2, 4))
STATEMENTS = """
SELECT calls, total_exec_time, shared_blks_hit + shared_blks_read, left(regexp_replace(query, '\\s+', ' ', 'g'), 110)
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY total_exec_time DESC LIMIT 30
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=12_000, help="images of a round, shared out between its jobs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--statements", action="store_true", help="print what Postgres was asked in each case")
    asked = parser.parse_args()
    figures = Figures("queue_limit", "queue's own limit: workers that do nothing, from commit to completed, fsync on")
    with prepared() as bench:
        for workers, tenants in CASES:
            started = [bench.system.start_worker("tests.benchmarks.idle_worker") for _ in range(workers)]
            bench.run(tenants, 2 * PAGE)  # everything is warm
            bench.forget_statements()
            rounds = [bench.run(tenants, asked.images) for _ in range(asked.rounds)]
            report(figures, f"{workers} workers, {tenants} jobs", rounds)
            if asked.statements:
                bench.print_statements(sum(one.chunks for one in rounds))
            for child in started:
                child.stop()
                bench.system.children.remove(child)
    figures.keep()


@dataclass(frozen=True, slots=True)
class Round:
    """One round: from the first commit to the last end, by the clock of the database."""

    images: int
    chunks: int
    seconds: float
    transactions: int
    statements: int
    wakeups: int
    processor: dict[str, float]


class Bench:
    """A whole system, and a connection of our own to it."""

    def __init__(self, system: System, database: Database) -> None:
        self.system = system
        self._redis = redis.Redis.from_url(system.environment["PHYTOBATCH_REDIS_URL"])
        self._owners: dict[uuid.UUID, int] = {}
        with database.begin() as session:
            registry.register(session, MANIFEST)
        self._keys = [insert_key(database, insert_tenant(database)) for _ in range(max(t for _, t in CASES))]

    def run(self, tenants: int, images: int) -> Round:
        """Jobs of ``images`` in all, one for each tenant, committed one after the other."""
        jobs = [self.draft(images // tenants, tenant) for tenant in range(tenants)]
        return self.measure(jobs, images // tenants * tenants)

    def measure(self, jobs: Sequence[uuid.UUID], images: int) -> Round:
        """Commit drafts one after the other, and wait for their ends."""
        processor, counted = self._processor(), self._counted()
        self._commit(jobs)
        wait_for(lambda: self._open(jobs), lambda left: left == 0, WAIT_SECONDS)
        seconds, chunks = self._took(jobs)
        used = {name: seconds - processor.get(name, 0.0) for name, seconds in self._processor().items()}
        transactions, statements, wakeups = (b - a for a, b in zip(counted, self._counted(), strict=True))
        return Round(images, chunks, seconds, transactions, statements, wakeups, used)

    def client(self, tenant: int = 0) -> Phytobatch:
        """The SDK, with the key of one of our tenants."""
        return Phytobatch(self.system.url, api_key=self._keys[tenant])

    def draft(self, images: int, tenant: int = 0) -> uuid.UUID:
        """Create a job and name its images, as a client does."""
        with self.client(tenant) as api:
            job = api.create_job(name="nothing", classifier=ClassifierRef(MANIFEST.name, MANIFEST.version))
            for at in range(0, images, PAGE):
                page = range(at, min(images, at + PAGE))
                api.add_images(job.id, [ImageSpec(name=f"{n:06d}.jpg", size=2_000_000) for n in page])
        made = uuid.UUID(job.id)
        self._owners[made] = tenant
        return made

    def _commit(self, jobs: Sequence[uuid.UUID]) -> None:
        for job in jobs:
            with self.client(self._owners[job]) as api:
                api.commit(str(job))

    def _open(self, jobs: Sequence[uuid.UUID]) -> int:
        """Looked at over the API, as by somebody who waits; bounded."""
        with self.client(self._owners[jobs[0]]) as api:
            api.job(str(jobs[0]))
        time.sleep(POLL_SECONDS)
        return self._number("SELECT count(*) FROM jobs WHERE id = ANY(%s) AND finished_at IS NULL", [list(jobs)])

    def _took(self, jobs: Sequence[uuid.UUID]) -> tuple[float, int]:
        with self.system.sql() as sql:
            row = sql.execute(
                "SELECT extract(epoch FROM max(finished_at) - min(committed_at)), min(succeeded), min(total) "
                "FROM jobs WHERE id = ANY(%s)",
                [list(jobs)],
            ).fetchone()
        if row is None or row[1] != row[2]:
            raise SystemExit(f"not every image succeeded: {row}")
        return float(row[0]), self._number("SELECT count(*) FROM chunks WHERE job_id = ANY(%s)", [list(jobs)])

    def validated(self, job: uuid.UUID) -> float:
        """Seconds from the commit until the chunks were cut."""
        with self.system.sql() as sql:
            row = sql.execute("SELECT extract(epoch FROM queued_at - committed_at) FROM jobs WHERE id = %s", [job])
            return float((row.fetchone() or [0])[0])

    def _counted(self) -> tuple[int, int, int]:
        """Transactions of the database, statements, and messages to Redis, so far."""
        return (
            self._number("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"),
            self._number("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"),
            int(self._redis.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0)),
        )

    def _number(self, question: str, given: Sequence[Any] = ()) -> int:
        with self.system.sql() as sql:
            row = sql.execute(question, given).fetchone()
        return int(row[0]) if row else 0

    def _processor(self) -> dict[str, float]:
        """Processor seconds of each program with its children, those that have ended too."""
        pids = [(server.name, server.pid) for server in self.system.servers.all]
        pids += [(child.program.name, child.pid) for child in self.system.children if child.program.name != "admin"]
        used: dict[str, float] = {}
        for name, pid in pids:
            used[name] = used.get(name, 0.0) + _seconds(pid)
        return used

    def forget_statements(self) -> None:
        """Count from here."""
        self._number("SELECT 1 FROM pg_stat_statements_reset()")

    def print_statements(self, chunks: int) -> None:
        """Calls and milliseconds a chunk."""
        print("calls/chunk  ms/chunk  pages/call  statement")
        with self.system.sql() as sql:
            for calls, milliseconds, pages, query in sql.execute(STATEMENTS).fetchall():
                print(f"{calls / chunks:11.2f}  {milliseconds / chunks:8.3f}  {pages / calls:10.1f}  {query}")


def _seconds(pid: int) -> float:
    """Of a process, of its children, and of those of them that it has waited for."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # Postgres ends the process of a connection that was closed.
            times = child.cpu_times()
            total += times.user + times.system
    return float(total)


@contextmanager
def prepared() -> Iterator[Bench]:
    """The system of production without workers, with statements counted."""
    with production_system() as system:
        count_statements(system)
        database = Database(settings_of(system), pool_size=2)
        try:
            yield Bench(system, database)
        finally:
            database.dispose()


def settings_of(system: System) -> Settings:
    """The settings of the programs, for a connection of our own."""
    ours = {name: value for name, value in system.environment.items() if name.startswith("PHYTOBATCH_")}
    fields: dict[str, Any] = {name.removeprefix("PHYTOBATCH_").lower(): value for name, value in ours.items()}
    return Settings(**fields)


def count_statements(system: System) -> None:
    """Load ``pg_stat_statements``, which needs a restart; the API finds the server again by itself."""
    with system.sql() as sql:
        sql.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    system.servers.postgres.stop()
    system.servers.postgres.start()
    with system.sql() as sql:
        sql.execute("CREATE EXTENSION pg_stat_statements")


def report(figures: Figures, name: str, rounds: Sequence[Round]) -> None:
    """Images and chunks a second, and what each chunk and each thousand images cost."""
    figures.add(f"{name}: images", [one.images / one.seconds for one in rounds], "images/s", goal=GOAL)
    figures.add(f"{name}: chunks", [one.chunks / one.seconds for one in rounds], "chunks/s")
    figures.add(f"{name}: transactions", [one.transactions / one.chunks for one in rounds], "a chunk")
    figures.add(f"{name}: statements", [one.statements / one.chunks for one in rounds], "a chunk")
    figures.add(f"{name}: wake-ups", [one.wakeups / one.chunks for one in rounds], "a chunk")
    for program in rounds[0].processor:
        used = [one.processor.get(program, 0.0) / one.images * 1e6 for one in rounds]
        figures.add(f"{name}: processor of {program}", used, "µs an image")


if __name__ == "__main__":
    main()
