"""``python -m tests.benchmarks.claims``: what a claim costs among a million ready chunks of a thousand tenants.

A real Postgres that stores durably (fsync on). Each claim is a transaction of its own, as in a worker; the oldest of
the chunks that are held is finished with 64 results after each, beside the clock, so that every claim meets the dead
rows that others left. ``--explain`` prints the plan of the statement.
"""

import argparse
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles

from alembic import command
from sqlalchemy import text

from api.migrations import alembic_config
from deploy.local.servers import LocalServers
from shared.contracts.states import ImageStatus, Priority
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.jobs.results import NewResult
from shared.jobs.turns import CLAIM
from shared.settings import Settings
from tests.benchmarks.figures import Figures
from tests.benchmarks.many_chunks import Filled, fill
from worker.jobs.work import offers_of

GOAL = "≤ 10 ms"
HELD = 16
MANY_HELD = 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--claims", type=int, default=2000, help="claims of each case")
    parser.add_argument("--explain", action="store_true", help="print the plan of a claim and end")
    asked = parser.parse_args()
    figures = Figures("claims", "claims among many ready chunks of many tenants, fsync on")
    with durable_postgres() as database:
        began = time.perf_counter()
        filled = fill(database, chunks=asked.chunks, tenants=asked.tenants)
        seconds = time.perf_counter() - began
        print(
            f"{filled.chunks:,} chunks, {filled.jobs:,} jobs, {filled.tenants:,} tenants in {seconds:.0f} s", flush=True
        )
        if asked.explain:
            explain(database, filled)
            return
        measure(database, filled, asked.claims, figures)
    figures.keep()


@contextmanager
def durable_postgres() -> Iterator[Database]:
    """A database with the schema."""
    with LocalServers.temporary(services=("postgres",), fast=False) as servers:
        url = servers.postgres.url
        command.upgrade(alembic_config(url), "head")
        database = Database(Settings(database_url=url, redis_url="redis://none", s3_bucket="none"))
        try:
            yield database
        finally:
            database.dispose()


def measure(database: Database, filled: Filled, count: int, figures: Figures) -> None:
    """Each case in turn, and how many pages a claim reads at the end."""
    bulk, mixed = offers_of(filled.pools[:1], patient=True), offers_of(filled.pools, patient=True)
    cases = (
        ("bulk, one connection", bulk, 1, HELD),
        ("bulk, four connections", bulk, 4, HELD),
        ("somebody waits, four pools", mixed, 1, HELD),
        (f"bulk, {MANY_HELD:,} chunks at work", bulk, 1, MANY_HELD),
    )
    for name, offers, threads, most in cases:
        took = run(database, offers, count, threads=threads, held=most)
        report(figures, name, took)


def run(database: Database, offers: Sequence[Offer], count: int, *, threads: int, held: int) -> list[float]:
    """Milliseconds of each claim; what is held at the end is handed back."""
    mine: deque[Claim] = deque()
    lock = threading.Lock()
    fill_up = max(0, held - HELD)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: take(database, offers, mine, lock, held), range(fill_up)))
        took = list(pool.map(lambda _: take(database, offers, mine, lock, held), range(count)))
    for one in mine:
        with database.begin() as session:
            claims.release(session, one)
    return took


def take(database: Database, offers: Sequence[Offer], mine: deque[Claim], lock: threading.Lock, held: int) -> float:
    """Claim a chunk, and finish the oldest one where enough are held; milliseconds of the claim."""
    began = time.perf_counter()
    with database.begin() as session:
        got = claims.claim(session, offers, worker="benchmark", lease_seconds=600)
    took = (time.perf_counter() - began) * 1000
    if got is None:
        raise SystemExit("nothing was ready; ask for more --chunks or fewer --claims")
    with lock:
        mine.append(got)
        oldest = mine.popleft() if len(mine) >= held else None
    if oldest is not None:
        with database.begin() as session:
            claims.finish(session, oldest, answers(oldest))
    return took


def answers(held: Claim) -> list[NewResult]:
    """An answer for each image of the chunk."""
    return [
        NewResult(
            seq=seq,
            status=ImageStatus.SUCCEEDED,
            label="rust",
            confidence=0.75,
            probabilities=(0.05, 0.2, 0.75),
            needs_review=False,
            runtime="benchmark 1",
        )
        for seq in range(held.first_seq, held.last_seq + 1)
    ]


def report(figures: Figures, name: str, took: list[float]) -> None:
    """The middle, and the ends that people notice."""
    centiles = quantiles(took, n=100)
    figures.add(f"claim, {name}, p50", centiles[49], "ms")
    figures.add(f"claim, {name}, p95", centiles[94], "ms")
    figures.add(f"claim, {name}, p99", centiles[98], "ms", goal=GOAL)


def explain(database: Database, filled: Filled) -> None:
    """The plan of a bulk claim, rolled back, after a hundred others."""
    offers = offers_of(filled.pools[:1], patient=True)
    run(database, offers, 100, threads=1, held=HELD)
    how = claims.how_of(Offer(filled.pools[0], Priority.BULK), worker="benchmark", lease_seconds=600)
    with database.engine.connect() as connection:
        connection.execute(text("SET track_io_timing = on"))
        for row in connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS) {CLAIM.text}"), how):
            print(row[0])


if __name__ == "__main__":
    main()
