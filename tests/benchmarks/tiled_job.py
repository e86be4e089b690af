"""``python -m tests.benchmarks.tiled_job``: reading a job of 10,000 photographs with 221 tiles each.

The answers are made up and copied into the tables; every tile has another confidence and chance decides its label, so
maps are larger than those of real benches. What clients read is asked of an API over HTTP; exports run in a process of
their own each, as in ``tests.benchmarks.exports``.
"""

import argparse
import json
import logging
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import mean

import psycopg
import structlog
from alembic import command
from sqlalchemy import func, text, update

from deploy.local.servers import LocalServers
from shared.classifiers import registry
from shared.contracts.exports import ExportFormat
from shared.contracts.job_request import JobRequest
from shared.contracts.manifest import ReviewReason
from shared.db.models import Job
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.tiles.codec import encode
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap, sum_up
from tests.benchmarks.exports import SMALL, measured, report, settings_of
from tests.benchmarks.figures import Figures
from tests.integration.conftest import LABELS, MANIFEST, Api, insert_key, insert_tenant, serve

# 17 by 13 tiles: 48 megapixels of a drone, 8,064 x 6,048, in tiles of 480 pixels.
GRID = lay_grid(8064, 6048, 480)
ROUNDS = 5
PAGE = 1000
COPIES = {
    "images": "COPY images (job_id, seq, name, size, object_key, metadata) FROM STDIN",
    "results": "COPY results (job_id, seq, position, status, label, confidence, needs_review, review_reason, "
    "tile_sums, classifier_id, runtime, latitude, longitude, captured_at) FROM STDIN",
    "tile_maps": "COPY tile_maps (job_id, seq, map) FROM STDIN",
}
TILING = {"edge": GRID.edge, "overlap": 0.0}
MAPS = text("SELECT avg(octet_length(map)) AS mean, max(octet_length(map)) AS max FROM tile_maps WHERE job_id = :job")
REPORT_FROM, MIN_TILES = 0.1, 4

Row = tuple[object, ...]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=int, default=10_000)
    asked = parser.parse_args()
    count: int = asked.photographs
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    figures = Figures("tiled_job", f"reading a job of {count:,} photographs with {GRID.tiles} tiles each, 3 classes")
    with LocalServers.temporary(fast=True) as servers:
        url = servers.postgres.database_url(servers.postgres.create_database("tiled"))
        command.upgrade(alembic_config(url), "head")
        environment = {**servers.environment, "PHYTOBATCH_DATABASE_URL": url}
        settings = settings_of(environment)
        database = Database(settings, pool_size=1)
        tenant = insert_tenant(database)
        small, large = (_job(database, tenant, number) for number in (SMALL, count))
        _report_sizes(figures, database, large, count)
        with serve(settings) as api:
            reader = api.with_key(insert_key(database, tenant))
            _read(figures, reader, large, "")
            # The same rows without their sums: what a summary costs in any case, on this machine, now.
            _cut(database, large, None)
            _read(figures, reader, large, ", as whole photographs")
            _cut(database, large, TILING)
        database.dispose()
        for content, rows in (("results", count), ("tiles", count * GRID.tiles)):
            for name in (ExportFormat.NDJSON, ExportFormat.PARQUET):
                what = f"{content}/{name}"
                report(figures, what, rows, measured(what, str(small), str(large), environment))
    print(figures.keep())


def _job(database: Database, tenant: uuid.UUID, count: int) -> uuid.UUID:
    random_ = random.Random(count)  # noqa: S311  # made-up answers
    with database.begin() as session:
        classifier = registry.register(session, MANIFEST).id
        job = lifecycle.create_draft(session, tenant, JobRequest(name="flight"), draft_hours=1).id
    maps = [_map(random_) for _ in range(count)]
    tables = {
        "images": ((job, n, f"DJI_{n:06d}.JPG", 20_000_000, "none", _metadata(n)) for n in range(1, count + 1)),
        "results": (_result(job, n, one, classifier) for n, one in enumerate(maps, 1)),
        "tile_maps": ((job, n, encode(one)) for n, one in enumerate(maps, 1)),
    }
    for table, rows in tables.items():
        _copy(database, table, rows)
    with database.begin() as session:
        done = {"total": count, "succeeded": count, "last_position": count, "finished_at": func.now()}
        session.execute(update(Job).where(Job.id == job).values(state="completed", classifier_id=classifier, **done))
    _cut(database, job, TILING)
    return job


def _copy(database: Database, table: str, rows: Iterator[Row]) -> None:
    with database.engine.begin() as connection:
        driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # by our URL
        with driver.cursor() as cursor, cursor.copy(COPIES[table]) as copy:
            for row in rows:
                copy.write_row(row)


def _metadata(number: int) -> str:
    return json.dumps({"row": number // 500, "bay": f"B{number % 40}"})


def _map(random_: random.Random) -> TileMap:
    """Answer a photograph: a fifth of the tiles are no leaf; the share of the disease is another for each."""
    disease = random_.betavariate(0.4, 3)
    return TileMap.of(GRID, [_tile(random_, disease) for _ in range(GRID.tiles)])


def _tile(random_: random.Random, disease: float) -> Tile:
    label = random_.choice((1, 2)) if random_.random() < disease else 0
    return Tile(
        label, random_.uniform(0.6, 1.0), ReviewReason.NOT_A_LEAF if random_.random() < 0.2 else None
    )  # a fifth


def _result(job: uuid.UUID, number: int, answered: TileMap, classifier: uuid.UUID) -> Row:
    sums = sum_up(answered, LABELS)
    worst = max(LABELS[1:], key=lambda label: sums.labels.get(label, 0))
    label = worst if sums.labels.get(worst, 0) >= REPORT_FROM * sums.counted else LABELS[0]
    undecided = number % 50 == 0
    return (
        job,
        number,
        number,
        "succeeded",
        None if undecided else label,
        None if undecided else 0.8,
        undecided,
        ReviewReason.UNUSUAL_LIGHT.value if undecided else None,
        json.dumps(sums.as_json()),
        classifier,
        "onnxruntime 1",
        47.9 + number / 1e6,
        7.8 + number % 500 / 1e5,
        datetime(2026, 6, 1 + number % 3, 8, tzinfo=UTC),
    )


def _report_sizes(figures: Figures, database: Database, job: uuid.UUID, count: int) -> None:
    with database.begin() as session:
        assert session.get_one(Job, job).tiling is not None
        row = session.execute(MAPS, {"job": job}).one()
        figures.add("map of a photograph: mean", float(row.mean), "bytes", goal="≤ 1200")
        figures.add("map of a photograph: largest", row.max, "bytes", goal="≤ 1200")
        for table in COPIES:
            size = session.scalar(text("SELECT pg_total_relation_size(CAST(:table AS regclass))"), {"table": table})
            figures.add(f"table {table} with its indexes", (size or 0) / 1e6, "MB")
            figures.add(f"table {table}: of a photograph", (size or 0) / (count + SMALL), "bytes")


def _cut(database: Database, job: uuid.UUID, tiling: dict[str, float] | None) -> None:
    """Make it a job with these tiles, or of whole photographs."""
    with database.begin() as session:
        session.execute(update(Job).where(Job.id == job).values(tiling=tiling))


def _read(figures: Figures, api: Api, job: uuid.UUID, way: str) -> None:
    asked = {
        f"results page of {PAGE:,}": f"results?limit={PAGE}",
        "summary": "summary",
        "summary by row and bay": "summary?group_by=row&group_by=bay",
        "grid of 20 m": "grid?edge=20",
    }
    for name, query in asked.items():
        seconds, size = zip(*(_ask(api, f"/v1/jobs/{job}/{query}") for _ in range(ROUNDS)), strict=True)
        figures.add(f"{name}{way}: time", list(seconds), "s")
        figures.add(f"{name}{way}: size", mean(size) / 1e3, "kB")


def _ask(api: Api, path: str) -> tuple[float, int]:
    began = time.perf_counter()
    answer = api.get(path)
    seconds = time.perf_counter() - began
    assert answer.status == 200, answer.data  # OK
    return seconds, len(answer.data)


if __name__ == "__main__":
    main()
