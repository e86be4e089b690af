"""``python -m tests.benchmarks.footprint``: memory of each process of the stack, and bytes that images leave behind."""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg

from phytobatch import ImageSpec
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from tests.benchmarks.throughput import production_system

PAGE = 1000
POLL_SECONDS = 0.2
MEBIBYTE = 1024 * 1024
TABLES = ("images", "results", "chunks", "events", "jobs", "webhook_deliveries")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=2000, help="images of 256 x 256 pixels")
    parser.add_argument("--full", type=int, default=200, help="images of ten megapixels")
    asked = parser.parse_args()
    what = f"memory, database and object store, with {asked.small} small and {asked.full} full-size photographs"
    figures = Figures("footprint", what)
    with production_system() as system:
        system.start_deliverer()
        system.start_worker()
        idle = memory(system)
        peaks = dict(idle)
        for kind, count in (("small", asked.small), ("full", asked.full)):
            run(figures, system, kind, count, peaks)
        for name, ready in idle.items():
            figures.add(f"memory of {name}: when ready", ready, "MiB")
            figures.add(f"memory of {name}: most", peaks[name], "MiB")
    print(figures.keep())


def memory(system: System) -> dict[str, float]:
    """Private and fairly shared memory (PSS) of each process with its children, in MiB."""
    pids = {server.name: server.pid for server in system.servers.all}
    pids |= {child.program.name: child.pid for child in system.children if child.program.name != "admin"}
    return {name: _pss(psutil.Process(pid)) for name, pid in pids.items()}


def _pss(process: psutil.Process) -> float:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / MEBIBYTE


def run(figures: Figures, system: System, kind: str, count: int, peaks: dict[str, float]) -> None:
    """A job of one set: what the database and the object store hold more than before, and the highest memory."""
    print(f"\n## {kind}: {write_set(kind, system.folder / kind, count)}", flush=True)
    files = sorted((system.folder / kind).iterdir())
    before, stored = table_bytes(system), folder_bytes(system.servers.folder.path / "objects")
    job_id = upload(system, files)
    with system.client() as api:
        api.commit(job_id)
        while not api.job(job_id).is_terminal:
            for name, used in memory(system).items():
                peaks[name] = max(peaks[name], used)
            time.sleep(POLL_SECONDS)
    after = table_bytes(system)
    sent = sum(file.stat().st_size for file in files)
    grown = folder_bytes(system.servers.folder.path / "objects") - stored
    each = {name: after[name] - before[name] for name in TABLES}
    figures.add(f"{kind}: database", sum(each.values()) / count * PAGE / 1e6, "MB per 1,000 images")
    for name, size in each.items():
        figures.add(f"{kind}: database, {name}", size / count, "bytes an image")
    figures.add(f"{kind}: sent", sent / 1e6, "MB")
    figures.add(f"{kind}: object store, on disk", grown / 1e6, "MB")
    figures.add(f"{kind}: object store, on disk / sent", grown / sent)


def upload(system: System, files: list[Path]) -> str:
    """A draft with every file in it."""
    with system.client() as api, ThreadPoolExecutor(8) as pool:
        job = api.create_job(name="footprint")
        for at in range(0, len(files), PAGE):
            page = files[at : at + PAGE]
            targets = api.add_images(job.id, [ImageSpec.of_file(file) for file in page])
            for done in [pool.submit(api.upload, target, file) for target, file in zip(targets, page, strict=True)]:
                done.result()
        return job.id


def table_bytes(system: System) -> dict[str, int]:
    """Bytes of each table with its indexes."""
    with system.sql() as sql:
        return {name: _size(sql, name) for name in TABLES}


def _size(sql: psycopg.Connection[Any], table: str) -> int:
    row = sql.execute("SELECT pg_total_relation_size(%s::regclass)", [table]).fetchone()
    return int(row[0]) if row else 0


def folder_bytes(folder: Path) -> int:
    """Bytes that the files of a folder take on disk."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()
