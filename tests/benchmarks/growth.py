"""``python -m tests.benchmarks.growth``: what an image costs in a job of 100,000 images, and in jobs of 1,000.

The queue's own cost: workers that read no photograph and ask no model, on the servers of production. Small jobs are
committed together and run before and after the large one. The listing of the object store is made up, everything else
is real (``tests/benchmarks/nothing.py``). ``--memory`` runs small photographs through a real worker instead, and says
what it holds after 2,000 and at the end.
"""

import argparse
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

import psutil

from phytobatch import Phytobatch
from tests.benchmarks.figures import Figures
from tests.benchmarks.footprint import TABLES, table_bytes
from tests.benchmarks.images import write_set
from tests.benchmarks.queue_limit import Bench, Round, prepared
from tests.benchmarks.throughput import production_system

T = TypeVar("T")

SMALL = 1000
SMALL_JOBS = 10
MEMORY_JOB = 2000
HOLDERS = {"worker": "≤ 3 %", "api": None}  # whose memory is looked at, and the goal of its growth
TOOK = (
    "SELECT extract(epoch FROM max(finished_at) - min(finished_at)) FROM results "
    "WHERE job_id = %s AND position > %s AND position <= %s"
)
WAIT_SECONDS = 600.0
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, help="of the large job (100,000), with --memory of all jobs (20,000)")
    parser.add_argument("--memory", action="store_true", help="a real worker's memory instead")
    asked = parser.parse_args()
    if asked.memory:
        memory(asked.images or 20_000)
    else:
        growth(asked.images or 100_000)


def growth(images: int) -> None:
    """A large job between small ones."""
    figures = Figures("growth", f"the queue's own cost of an image in a job of {images:,} and in jobs of {SMALL:,}")
    with prepared() as bench:
        worker = bench.system.start_worker("tests.benchmarks.idle_worker")
        bench.run(1, 2 * SMALL)  # everything is warm
        small = [small_jobs(bench)]
        large = large_job(bench, images, figures)
        small.append(small_jobs(bench))
        worker.stop()
        compare(figures, small, large)
    figures.keep()


def small_jobs(bench: Bench) -> Round:
    """Ten jobs of 1,000 images, committed together, by the clock of the database."""
    return bench.measure([bench.draft(SMALL) for _ in range(SMALL_JOBS)], SMALL_JOBS * SMALL)


def large_job(bench: Bench, images: int, figures: Figures) -> Round:
    """One job, with everything that somebody does with it."""
    before = sum(table_bytes(bench.system).values())
    job = timed(figures, "create", images, lambda: bench.draft(images))
    took = bench.measure([job], images)
    figures.add("commit to queued (validation)", bench.validated(job) / images * 1e6, "µs an image")
    first, last = tenths(bench, job, images)
    figures.add("large job, seconds per image, last tenth / first tenth", last / first, goal="≤ 1.05")
    size = table_bytes(bench.system)
    figures.add("database", (sum(size.values()) - before) / images, f"bytes an image in {len(TABLES)} tables")
    with bench.client() as api:
        timed(figures, "list results", images, lambda: sum(1 for _ in api.results(str(job))))
        timed(figures, "export as CSV", images, lambda: export(api, str(job)))
    return took


def tenths(bench: Bench, job: uuid.UUID, images: int) -> tuple[float, float]:
    """Seconds that the first tenth of the results took to be stored, and the last."""
    with bench.system.sql() as sql:
        took = [sql.execute(TOOK, [job, at * images // 10, (at + 1) * images // 10]).fetchone() for at in (0, 9)]
    first, last = (float(row[0]) if row else 0.0 for row in took)
    return first, last


def export(api: Phytobatch, job_id: str) -> None:
    """Have the worker write it."""
    api.exports.wait(api.exports.create(job_id, "csv").id, timeout=WAIT_SECONDS)


def timed(figures: Figures, name: str, images: int, work: Callable[[], T]) -> T:
    """Do it, and note its seconds and what that is for an image."""
    began = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - began
    figures.add(f"{name}, {images:,} images", seconds, "s")
    return done


def compare(figures: Figures, small: Sequence[Round], large: Round) -> None:
    """An image of the large job against one of the small ones: by the clock, and by the processors."""
    each = [one.seconds / one.images for one in small]
    figures.add("small jobs", [one * 1e6 for one in each], "µs an image")
    figures.add("large job", large.seconds / large.images * 1e6, "µs an image")
    figures.add("seconds per image, large / small", large.seconds / large.images / median(each), goal="≤ 1.05")
    used = [processor(one) for one in small]
    figures.add("processor per image, large / small", processor(large) / median(used))
    figures.add("statements, small jobs", [one.statements / one.chunks for one in small], "a chunk")
    figures.add("statements, large job", large.statements / large.chunks, "a chunk")


def processor(one: Round) -> float:
    """Seconds of the worker and of Postgres for an image."""
    return (one.processor["worker"] + one.processor["postgres"]) / one.images


def memory(images: int) -> None:
    """Jobs of 2,000 small photographs, one after the other, through one worker with the shipped classifier."""
    figures = Figures("growth_memory", f"memory of worker and API over {images:,} small photographs")
    with production_system() as system:
        print(write_set("small", system.folder / "small", MEMORY_JOB))
        files = sorted((system.folder / "small").iterdir())
        system.start_worker()
        programs = {c.program.name: psutil.Process(c.pid) for c in system.children if c.program.name in HOLDERS}
        held = [held_by(programs)]
        for number in range(images // MEMORY_JOB):
            system.wait_for_end(system.submit(files), WAIT_SECONDS)
            held.append(held_by(programs))
            shown = ", ".join(f"{name} {mebibytes:.0f} MiB" for name, mebibytes in held[-1].items())
            print(f"after {(number + 1) * MEMORY_JOB:,} images: {shown}", flush=True)
    for name in programs:
        ready, first, last = held[0][name], held[1][name], held[-1][name]
        figures.add(f"{name}, when ready", ready, "MiB")
        figures.add(f"{name}, after 2,000 images", first, "MiB")
        figures.add(f"{name}, after {images:,} images", last, "MiB")
        figures.add(f"{name}, growth from 2,000 images on", 100 * (last / first - 1), "%", goal=HOLDERS[name])
    figures.keep()


def held_by(programs: Mapping[str, psutil.Process]) -> dict[str, float]:
    """MiB that are theirs alone: what one shares with files and others is not counted (USS)."""
    return {name: float(process.memory_full_info().uss) / MEBIBYTE for name, process in programs.items()}


if __name__ == "__main__":
    main()
