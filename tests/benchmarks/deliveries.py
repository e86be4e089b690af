"""``python -m tests.benchmarks.deliveries``: 10,000 due deliveries to 50 endpoints, of which five are dead.

Time until the healthy 45 have all theirs, against the same without the dead ones, and against a loop that only posts.
The deliverer is a process with the settings of production; Postgres stores durably (fsync on). The receiver is one
process on the same machine, and one connection is made for each attempt.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil

from deploy.local.ports import free_port
from deploy.local.servers import LocalServers
from shared.webhooks.signing import new_secret
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.plain_posts import data
from tests.integration.webhooks.receiver import Answer, Received, Receiver
from tests.patience import wait_for

HEALTHY = 45
REFUSING, HANGING = 3, 2
WAIT_SECONDS = 600.0
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    """One round: until the healthy endpoints have all theirs, and the processor of who sends, in seconds."""

    seconds: float
    processor: float


@dataclass(frozen=True, slots=True)
class Delivered(Posted):
    """A round of the deliverer: its memory (RSS) in MiB, and how many requests came twice."""

    memory: float
    doubles: int


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--each", type=int, default=200, help="deliveries for each of the 50 endpoints")
    asked = parser.parse_args()
    what = f"{asked.each} deliveries to each of {HEALTHY} healthy endpoints, with and without five dead ones beside"
    figures = Figures("deliveries", what)
    print(
        f"dead: {REFUSING} refuse the connection, {HANGING} hang until the deadline of 20 s; "
        f"aiohappyeyeballs {version('aiohappyeyeballs')}",
        flush=True,
    )
    plain, alone, beside = [], [], []
    healthy = HEALTHY * asked.each
    with prepared() as system:
        for number in range(asked.rounds):
            plain.append(floor(healthy))
            alone.append(run(system, asked.each, dead=False))
            beside.append(run(system, asked.each, dead=True))
            print(
                f"round {number + 1}: plain {plain[-1].seconds:.1f} s, alone {alone[-1].seconds:.1f} s, "
                f"beside five dead {beside[-1].seconds:.1f} s",
                flush=True,
            )
    report(figures, healthy, plain, alone, beside)
    print(figures.keep())


def report(
    figures: Figures, count: int, plain: Sequence[Posted], alone: Sequence[Delivered], beside: Sequence[Delivered]
) -> None:
    """How long each took until the healthy endpoints had their ``count``, what it cost, and the ratios."""
    paced(figures, "plain loop", count, plain)
    for name, rounds in (("no dead endpoint", alone), ("five dead endpoints", beside)):
        paced(figures, name, count, rounds)
        figures.add(f"{name}: memory of the deliverer", [one.memory for one in rounds], "MiB")
        figures.add(f"{name}: sent twice", [one.doubles for one in rounds], "requests")
    plain_median, alone_median, beside_median = (
        median(one.seconds for one in rounds) for rounds in (plain, alone, beside)
    )
    figures.add("five dead / none", beside_median / alone_median)
    figures.add("none dead / plain loop", alone_median / plain_median)


def paced(figures: Figures, name: str, count: int, rounds: Sequence[Posted]) -> None:
    """Seconds, deliveries a second, and processor."""
    figures.add(f"{name}: until the healthy have theirs", [one.seconds for one in rounds], "s")
    figures.add(f"{name}: rate", [count / one.seconds for one in rounds], "deliveries/s")
    figures.add(f"{name}: processor of who sends", [one.processor for one in rounds], "s")


@contextmanager
def prepared() -> Iterator[System]:
    """A durable Postgres with the schema, and no other program."""
    with (
        tempfile.TemporaryDirectory(prefix="phytobatch-bench-") as temporary,
        LocalServers.temporary(fast=False) as servers,
    ):
        system = System(servers, Path(temporary))
        try:
            system.admin("migrate")
            yield system
        finally:
            system.stop()


def floor(count: int) -> Posted:
    """The loop that only posts, in a process of its own."""
    with Receiver() as receiver:
        command = [sys.executable, "-m", "tests.benchmarks.plain_posts", receiver.url, str(count)]
        seconds, processor = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        receiver.wait_for(count)
    return Posted(float(seconds), float(processor))


def run(system: System, each: int, *, dead: bool) -> Delivered:
    """From the commit of the deliveries until the healthy endpoints have all theirs."""
    with Receiver(answer) as receiver:
        urls = [f"{receiver.url}/{number}" for number in range(HEALTHY)]
        if dead:
            urls += [f"http://127.0.0.1:{free_port()}/hooks" for _ in range(REFUSING)]
            urls += [f"{receiver.url}/hang/{number}" for number in range(HANGING)]
        deliverer = system.start_deliverer()
        process = psutil.Process(deliverer.pid)
        before = sum(process.cpu_times()[:2])
        insert(system, urls, each)
        began = time.perf_counter()
        healthy = HEALTHY * each
        wait_for(lambda: len(receiver.requests), lambda seen: seen >= healthy, WAIT_SECONDS)
        wait_for(lambda: served(receiver), lambda seen: seen >= healthy, WAIT_SECONDS)
        seconds = time.perf_counter() - began
        wait_for(lambda: delivered(system), lambda seen: seen >= healthy, WAIT_SECONDS)
        processor = sum(process.cpu_times()[:2]) - before
        doubles = served(receiver) - len(
            {r.headers["webhook-id"] + r.path for r in receiver.requests if "hang" not in r.path}
        )
        memory = process.memory_info().rss / MEBIBYTE
        system.stop_workers()
    forget(system)
    return Delivered(seconds, processor, memory, doubles)


def answer(request: Received) -> Answer:
    """204 at once, or nothing ever."""
    return Answer(hang=True) if "/hang/" in request.path else Answer()


def served(receiver: Receiver) -> int:
    """Requests to the healthy endpoints."""
    return sum("/hang/" not in request.path for request in receiver.requests)


def insert(system: System, urls: list[str], each: int) -> None:
    """Endpoints, events, and a delivery of each event to each endpoint, in one transaction."""
    with system.sql() as sql, sql.transaction():
        tenant = uuid.uuid4()
        sql.execute("INSERT INTO tenants (id, name) VALUES (%s, %s)", (tenant, str(tenant)))
        for url in urls:
            secret = uuid.uuid4()
            sql.execute(
                "INSERT INTO signing_secrets (id, tenant_id, secret) VALUES (%s, %s, %s)",
                (secret, tenant, new_secret()),
            )
            sql.execute(
                "INSERT INTO webhook_endpoints (id, tenant_id, secret_id, url, events) "
                "VALUES (gen_random_uuid(), %s, %s, %s, '{job.completed}')",
                (tenant, secret, url),
            )
        for number in range(each):
            sql.execute(
                "INSERT INTO events (id, tenant_id, type, data) VALUES (gen_random_uuid(), %s, 'job.completed', %s)",
                (tenant, json.dumps(data(number))),
            )
        sql.execute(
            "INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type) "
            "SELECT gen_random_uuid(), e.tenant_id, e.id, v.id, v.type FROM events v CROSS JOIN webhook_endpoints e"
        )


def delivered(system: System) -> int:
    """Deliveries that are recorded as such."""
    with system.sql() as sql:
        row = sql.execute("SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'").fetchone()
        return int(row[0]) if row else 0


def forget(system: System) -> None:
    """Begin the next run with empty tables."""
    with system.sql() as sql:
        sql.execute("TRUNCATE tenants CASCADE")
        sql.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
