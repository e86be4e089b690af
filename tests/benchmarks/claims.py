"""``python -m tests.benchmarks.claims``: what a claim costs among a million ready chunks of a thousand tenants.

A real Postgres that stores durably (fsync on). Each claim is a transaction of its own, as in a worker; the oldest of
the chunks that are held is finished with 64 results after each, beside the clock, so that every claim meets the dead
rows that others left. After each claim its lease is renewed: that changes one row by its key, and is the floor of what
is stored durably on this machine. ``--explain`` prints the plan of the statement.
"""

import argparse
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from alembic import command
from sqlalchemy import text

from deploy.local.servers import LocalServers
from shared.contracts.states import ImageStatus, Priority
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.jobs.results import NewResult
from shared.jobs.turns import CLAIM
from shared.settings import Settings
from tests.benchmarks.figures import Figures
from tests.benchmarks.many_chunks import Filled, fill
from worker.leasing.slots import bulk_offers

GOAL = "≤ 10 ms"
HELD = 16
MANY_HELD = 1000
LEASE_SECONDS = 600.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--claims", type=int, default=1500, help="claims of each case")
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
    bulk, mixed = bulk_offers(filled.pools[:1]), bulk_offers(filled.pools)
    cases = (
        ("bulk, one connection", bulk, 1, HELD),
        ("bulk, four connections", bulk, 4, HELD),
        ("somebody waits, four pools", mixed, 1, HELD),
        (f"bulk, {MANY_HELD:,} chunks at work", bulk, 1, MANY_HELD),
    )
    for name, offers, threads, most in cases:
        took = run(database, offers, count, threads=threads, held=most)
        report(figures, f"claim, {name}", [one.claim for one in took], goal=GOAL)
        report(figures, f"renewal, {name}", [one.renewal for one in took])


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of a claim, and of a renewal right behind it."""

    claim: float
    renewal: float


def run(database: Database, offers: Sequence[Offer], count: int, *, threads: int, held: int) -> list[Took]:
    """Milliseconds of each claim; what is held at the end is handed back."""
    mine: deque[Claim] = deque()
    lock = threading.Lock()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: take(database, offers, mine, lock, held), range(held)))
        pages(database, offers)
        took = list(pool.map(lambda _: take(database, offers, mine, lock, held), range(count)))
    for one in mine:
        with database.begin() as session:
            claims.release(session, one)
    return took


def take(database: Database, offers: Sequence[Offer], mine: deque[Claim], lock: threading.Lock, held: int) -> Took:
    """Claim a chunk, renew its lease, and finish the oldest one where enough are held."""
    began = time.perf_counter()
    with database.begin() as session:
        got = claims.claim(session, offers, worker="benchmark", lease_seconds=LEASE_SECONDS)
    claimed = time.perf_counter()
    if got is None:
        raise SystemExit("nothing was ready; ask for more --chunks or fewer --claims")
    with database.begin() as session:
        claims.renew(session, got, lease_seconds=LEASE_SECONDS)
    renewed = time.perf_counter()
    with lock:
        mine.append(got)
        oldest = mine.popleft() if len(mine) > held else None
    if oldest is not None:
        with database.begin() as session:
            claims.finish(session, oldest, answers(oldest))
    return Took((claimed - began) * 1000, (renewed - claimed) * 1000)


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


def report(figures: Figures, name: str, took: list[float], *, goal: str | None = None) -> None:
    """The middle, and the ends that people notice."""
    centiles = quantiles(took, n=100)
    figures.add(f"{name}, p50", centiles[49], "ms")
    figures.add(f"{name}, p95", centiles[94], "ms")
    figures.add(f"{name}, p99", centiles[98], "ms", goal=goal)


def pages(database: Database, offers: Sequence[Offer]) -> None:
    """Print how many pages PostgreSQL looks at for the last of the offers that has a chunk."""
    for offer in reversed(offers):
        plan = planned(database, offer, "ANALYZE, BUFFERS, FORMAT JSON")[0][0][0]["Plan"]
        if plan["Actual Rows"]:
            print(f"{plan['Shared Hit Blocks'] + plan['Shared Read Blocks']} pages a claim of {offer.pool}", flush=True)
            return


def explain(database: Database, filled: Filled) -> None:
    """The plan of a bulk claim, after a hundred others."""
    run(database, bulk_offers(filled.pools[:1]), 100, threads=1, held=HELD)
    for row in planned(database, Offer(filled.pools[0], Priority.BULK), "ANALYZE, BUFFERS"):
        print(row[0])


def planned(database: Database, offer: Offer, options: str) -> Sequence[Any]:
    """What EXPLAIN says of a claim, which is rolled back."""
    how = claims.claim_parameters(offer, worker="benchmark", lease_seconds=LEASE_SECONDS)
    with database.engine.connect() as connection:
        return connection.execute(text(f"EXPLAIN ({options}) {CLAIM.text}"), how).all()


if __name__ == "__main__":
    main()
