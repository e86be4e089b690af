"""``python -m tests.benchmarks.inspection``: requests, bytes and seconds of the heads of 20,000 photographs.

The photographs are those of ``--data`` in turn, each cut off behind its head and filled up with zeros: a read takes as
many bytes as of the whole file. The floor is a plain loop over the same ranged GETs, with as many threads, that looks
at nothing and stores nothing; it runs before and after.
"""

import argparse
import io
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from threading import Event, Lock
from typing import Any

import structlog
from alembic import command
from sqlalchemy import text

from deploy.local.servers import LocalServers
from shared.classifiers import registry
from shared.contracts.job_request import JobRequest
from shared.contracts.states import ChunkKind, Priority
from shared.db.models import Tenant
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.jobs import claims, lifecycle
from shared.jobs.claims import Offer
from shared.jobs.cut import ChunkSizes
from shared.jobs.images import NewImage, add_images
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.benchmarks.exports import settings_of
from tests.benchmarks.figures import Figures
from tests.integration.conftest import MANIFEST
from worker.context import Context
from worker.leasing.leases import Lease
from worker.loop.chunk import run_chunk

SIZE = 200_000  # bytes of a stored file; the picture itself is left out
OFFERS = [Offer(ChunkKind.INSPECT, Priority.BULK)]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/drone"))
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--threads", type=int, nargs="+", default=[Settings.model_fields["inspect_threads"].default])
    parser.add_argument("--away", type=float, default=0.0, help="seconds added to each read, as of a distant store")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    what = f"heads of {asked.images:,} photographs on a real S3 server, one chunk at a time"
    figures = Figures("inspection", what + (f", {asked.away * 1000:g} ms away" if asked.away else ""))
    with LocalServers.temporary(fast=True) as servers:
        url = servers.postgres.database_url(servers.postgres.create_database("inspection"))
        command.upgrade(alembic_config(url), "head")
        settings = settings_of({**servers.environment, "PHYTOBATCH_DATABASE_URL": url})
        for threads in asked.threads:
            changed = settings.model_copy(update={"inspect_threads": threads})
            _measure(figures, CountingStore(changed, asked.away), changed, asked.data, asked.images)
    print(figures.keep())


class CountingStore(S3Store):
    """The store, with a count of its reads of parts."""

    def __init__(self, settings: Settings, away: float) -> None:
        super().__init__(settings, connections=settings.inspect_threads)
        self._away = away
        self._lock = Lock()
        self.requests, self.read_bytes = 0, 0

    def get_range(self, key: str, *, bucket: str | None = None, start: int, length: int) -> bytes:
        """See ``ObjectStore.get_range``."""
        time.sleep(self._away)
        read = super().get_range(key, bucket=bucket, start=start, length=length)
        with self._lock:
            self.requests += 1
            self.read_bytes += len(read)
        return read


def _measure(figures: Figures, store: CountingStore, settings: Settings, data: Path, images: int) -> None:
    database = Database(settings, pool_size=2)
    store.create_bucket()
    keys = list(_put(store, data))
    names = list(islice(cycle(keys), images))
    before = _floor(store, settings, names)
    store.requests = store.read_bytes = 0
    job = _job(database, settings, names)
    seconds = _inspect(settings, database, store)
    requests, read = store.requests, store.read_bytes
    floor = [before, _floor(store, settings, names)]
    with database.begin() as session:
        known = session.execute(
            text("SELECT count(*) FROM image_heads WHERE job_id = :job AND width > 0"), {"job": job}
        ).scalar_one()
    database.dispose()
    suffix = f", {settings.inspect_threads} threads"
    figures.add(f"photographs with a known size{suffix}", known)
    figures.add(f"requests{suffix}", requests)
    figures.add(f"bytes read{suffix}", read / 1e6, "MB")
    figures.add(f"inspection{suffix}", seconds, "s")
    figures.add(f"plain loop of the same reads{suffix}", floor, "s")
    figures.add(f"plain loop beside inspection{suffix}", [one / seconds for one in floor])


def _put(store: S3Store, data: Path) -> Iterator[str]:
    for path in sorted(data.rglob("*.[jJ][pP][gG]")):
        with path.open("rb") as file:
            head = file.read(SIZE)
        store.put(path.name, io.BytesIO(head.ljust(SIZE, b"\0")), size=SIZE)
        yield path.name


def _floor(store: S3Store, settings: Settings, names: list[str]) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(settings.inspect_threads) as pool:
        for _ in pool.map(lambda name: store.get_range(name, start=0, length=settings.head_bytes), names):
            pass
    return time.perf_counter() - began


def _job(database: Database, settings: Settings, names: list[str]) -> uuid.UUID:
    """Make a job whose images have arrived; several of them are the same object, which nobody validates here."""
    with database.begin() as session:
        classifier = registry.register(session, MANIFEST).id
        tenant = Tenant(name=str(uuid.uuid4()))
        session.add(tenant)
        session.flush()
        job = lifecycle.create_draft(session, tenant.id, JobRequest(name="flight"), draft_hours=1)
        job.tiling = {"edge": 256, "overlap": 0.0}
        new = [NewImage(name=f"{n:06}.jpg", size=SIZE, object_key=name) for n, name in enumerate(names)]
        add_images(session, lifecycle.lock_job(session, job.id), new, max_images=len(new))
        lifecycle.commit_arrived(session, job.id, classifier, sizes=ChunkSizes.of(settings))
        return job.id


def _inspect(settings: Settings, database: Database, store: S3Store) -> float:
    unused: Any = None
    context = Context(settings, database, store, unused, {}, "benchmark")
    began = time.perf_counter()
    while True:
        with database.begin() as session:
            claim = claims.claim(session, OFFERS, worker="benchmark", lease_seconds=600)
        if claim is None:
            return time.perf_counter() - began
        run_chunk(context, Lease(claim, database, Event()))


if __name__ == "__main__":
    main()
