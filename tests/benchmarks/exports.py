"""``python -m tests.benchmarks.exports``: an export of 100,000 images in each format, beside a plain read of the same.

Each format runs in a process of its own, which says how much its memory grew (RSS, at its highest) after one small
export of the same format: what libraries need once is not counted.
"""

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import psutil
from alembic import command
from sqlalchemy import text

from deploy.local.servers import LocalServers
from shared.classifiers import registry
from shared.contracts.exports import ExportContent, ExportFormat
from shared.contracts.job_request import JobRequest
from shared.db.models import Job, Tenant
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.exports.contents import plan_export
from shared.exports.formats import FORMATS
from shared.exports.sheet import Sheet
from shared.jobs import lifecycle
from shared.jobs.results import ResultFilter
from shared.settings import Settings
from tests.benchmarks.figures import Figures
from tests.integration.conftest import MANIFEST

MEBIBYTE = 1024 * 1024
SMALL = 500
FLOOR = "plain read"
METADATA_COLUMNS = 32

IMAGES = text(
    """
    INSERT INTO images (job_id, seq, name, size, object_key, metadata)
    SELECT :job, n, 'flight/DJI_' || lpad(n::text, 6, '0') || '.JPG', 4000000, 'uploads/none',
           jsonb_build_object('row', n / 500, 'bay', 'B' || n % 40, 'bed', (n % 7)::text, 'flight', '2026-06-01')
    FROM generate_series(1, :n) n
    """
)
RESULTS = text(
    """
    INSERT INTO results (job_id, seq, position, status, label, confidence, probabilities, needs_review, classifier_id,
                         runtime, latitude, longitude, altitude, heading, captured_at)
    SELECT :job, n, n, 'succeeded', 'rust', 0.5 + (n % 500) / 1000.0, ARRAY[0.1, 0.2, 0.7], n % 9 = 0, :classifier,
           'onnxruntime 1', 47.9 + n / 1e6, 7.8 + (n % 500) / 1e5, 300, n % 360, now()
    FROM generate_series(1, :n) n
    """
)
COUNTS = text(
    "UPDATE jobs SET total = :n, succeeded = :n, last_position = :n, classifier_id = :classifier WHERE id = :job"
)


def main() -> None:
    """Measure, print and keep; with ``--child``, the one measurement of a child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "SMALL_JOB", "LARGE_JOB"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _child(*asked.child)
        return
    figures = Figures("exports", f"exports of {asked.rows:,} images, 3 classes, 4 keys of metadata")
    with LocalServers.temporary(fast=True) as servers:
        url = servers.postgres.database_url(servers.postgres.create_database("exports"))
        command.upgrade(alembic_config(url), "head")
        environment = {**servers.environment, "PHYTOBATCH_DATABASE_URL": url}
        small, large = _jobs(settings_of(environment), asked.rows)
        for what in (FLOOR, *ExportFormat):
            report(figures, what, asked.rows, measured(what, small, large, environment))
    print(figures.keep())


def settings_of(environment: dict[str, str]) -> Settings:
    """Read the settings that lead to such servers."""
    given: dict[str, Any] = {
        name.removeprefix("PHYTOBATCH_").lower(): value
        for name, value in environment.items()
        if name.startswith("PHYTOBATCH_")
    }
    return Settings(**{name: value for name, value in given.items() if name in Settings.model_fields})


def _jobs(settings: Settings, rows: int) -> tuple[str, str]:
    """A small job that the statistics know, and a large one that is new to them, as a job that has just ended is."""
    database = Database(settings, pool_size=1)
    small = _job(database, SMALL)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("images", "results"):
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
        connection.execute(text("ANALYZE"))
    large = _job(database, rows)
    database.dispose()
    return str(small), str(large)


def _job(database: Database, rows: int) -> uuid.UUID:
    with database.begin() as session:
        classifier = registry.register(session, MANIFEST).id
        tenant = Tenant(name=f"t{rows}")
        session.add(tenant)
        session.flush()
        job = lifecycle.create_draft(session, tenant.id, JobRequest(name="flight"), draft_hours=1).id
        for statement in (IMAGES, RESULTS, COUNTS):
            session.execute(statement, {"job": job, "n": rows, "classifier": classifier})
    return job


def measured(what: str, small: str, large: str, environment: dict[str, str]) -> dict[str, float]:
    """Export a job in a process of its own, after a small one.

    Args:
        what: ``FLOOR``, a format, or content and format as ``tiles/parquet``.
        small: id of a job that the process exports first.
        large: id of the job that is measured.
        environment: of the process.

    Returns:
        ``seconds``, ``bytes`` of the file, ``peak`` and ``growth`` of memory in bytes.
    """
    done = subprocess.run(  # this module
        [sys.executable, "-m", "tests.benchmarks.exports", "--child", what, small, large],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    read: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return read


def report(figures: Figures, what: str, rows: int, seen: dict[str, float]) -> None:
    """Print what :func:`measured` saw."""
    figures.add(f"{what}: time", seen["seconds"], "s")
    figures.add(f"{what}: rate", rows / seen["seconds"], "rows/s")
    figures.add(f"{what}: size", seen["bytes"] / 1e6, "MB")
    figures.add(f"{what}: memory at most (RSS)", seen["peak"] / MEBIBYTE, "MiB")
    figures.add(f"{what}: growth of memory", seen["growth"] / MEBIBYTE, "MiB")


def _child(what: str, small: str, large: str) -> None:
    import os

    database = Database(settings_of(dict(os.environ)), pool_size=2)
    content, _, name = what.rpartition("/")
    run = _read if what == FLOOR else _encoder(ExportContent(content or ExportContent.RESULTS), ExportFormat(name))
    run(database, uuid.UUID(small))
    process = psutil.Process()
    before = process.memory_info().rss
    with _Peak(process) as peak:
        began = time.perf_counter()
        size = run(database, uuid.UUID(large))
        seconds = time.perf_counter() - began
    found = {"seconds": seconds, "bytes": size, "peak": peak.max_bytes, "growth": peak.max_bytes - before}
    print(json.dumps(found))
    database.dispose()


class _Peak:
    """The most memory that a process has, looked at every 10 ms and checked against what the kernel remembers."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.max_bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.max_bytes = max(self.max_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)

    def _sample(self) -> None:
        while not self._ended.wait(0.01):
            self.max_bytes = max(self.max_bytes, self._process.memory_info().rss)


def _sheet(database: Database, job_id: uuid.UUID, content: ExportContent = ExportContent.RESULTS) -> Sheet:
    with database.begin() as session:
        job = session.get_one(Job, job_id)
        return plan_export(session, job, content, ResultFilter(), metadata_columns=METADATA_COLUMNS)


def _read(database: Database, job_id: uuid.UUID) -> int:
    """The floor: the same rows in the same pages, and nothing made of them."""
    return sum(0 * len(page) for page in _sheet(database, job_id).pages(database))


def _encoder(content: ExportContent, name: ExportFormat) -> Callable[[Database, uuid.UUID], int]:
    def encode(database: Database, job_id: uuid.UUID) -> int:
        sheet = _sheet(database, job_id, content)
        pieces: Iterator[bytes] = FORMATS[name].encode(sheet, sheet.pages(database))
        return sum(len(piece) for piece in pieces)

    return encode


if __name__ == "__main__":
    main()
