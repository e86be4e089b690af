"""``python -m tests.benchmarks.fairness``: what a saturating bulk job costs those who send little beside it.

One worker with the settings of production. First alone, then while a job of full-size images of another tenant fills
every slot: `POST /predict`, a job of ten images of another tenant, and a job of ten images with the priority
`interactive` of the very tenant whose bulk job runs. All photographs are full-size ones.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from client import ImageSpec, Phytobatch
from shared.db.session import Database
from shared.settings import Settings
from tests.acceptance.system import System
from tests.benchmarks.images import write_set
from tests.benchmarks.report import heading
from tests.benchmarks.throughput import production_system
from tests.integration.conftest import insert_key, insert_tenant

WAIT_SECONDS = 600.0
LOOK_SECONDS = 0.05
JOB_IMAGES = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bulk", type=int, default=1500, help="images of the bulk job")
    parser.add_argument("--predictions", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=10, help="rounds of the jobs of ten images")
    asked = parser.parse_args()
    heading("fairness: one photograph, and ten, beside a saturating bulk job")
    with production_system() as system:
        folder = system.folder / "full"
        print(write_set("full", folder, asked.bulk))
        files = sorted(folder.iterdir())
        other = another_tenant(system)
        system.start_worker()
        once(system.api_key, system, files[:2], priority="bulk")  # everything is warm
        alone = measure(system, other, files, asked.predictions, asked.jobs)
        bulk = system.submit(files)
        system.wait_until(bulk, lambda job: job.counts.succeeded > 0)
        beside = measure(system, other, files, asked.predictions, asked.jobs)
        report(alone, beside)
        job = system.job(bulk)
        print(f"\nof the bulk job, {job.counts.succeeded} of {job.counts.total} images were through when this ended")
        if job.is_terminal:
            raise SystemExit("the bulk job ended too early; ask for more images with --bulk")


def another_tenant(system: System) -> str:
    """A key of a tenant of its own."""
    given = system.environment.items()
    fields: dict[str, Any] = {n.removeprefix("PHYTOBATCH_").lower(): v for n, v in given if n.startswith("PHYTOBATCH_")}
    database = Database(Settings(**fields), pool_size=1)
    try:
        return insert_key(database, insert_tenant(database))
    finally:
        database.dispose()


def measure(system: System, other: str, files: list[Path], predictions: int, jobs: int) -> dict[str, list[float]]:
    """Seconds of every request and every job, by what it is."""
    with Phytobatch(system.url, api_key=other) as api:
        predicted = [timed(lambda file=file: api.predict(file)) for file in files[:predictions]]  # type: ignore[misc]
    parts = [files[n * JOB_IMAGES : (n + 1) * JOB_IMAGES] for n in range(jobs)]
    return {
        "POST /predict, another tenant": predicted,
        "ten images, another tenant": [timed(lambda p=p: once(other, system, p, priority="bulk")) for p in parts],  # type: ignore[misc]
        "ten images, same tenant, interactive": [
            timed(lambda p=p: once(system.api_key, system, p, priority="interactive"))  # type: ignore[misc]
            for p in parts
        ],
    }


def once(key: str, system: System, files: list[Path], *, priority: str) -> None:
    """Submit a job and wait for its end."""
    with Phytobatch(system.url, api_key=key) as api:
        created = api.create_job(priority=priority)
        submit(api, created.id, files)
        until = time.monotonic() + WAIT_SECONDS
        while not (job := api.job(created.id)).is_terminal:
            if time.monotonic() > until:
                raise SystemExit(f"a job of {len(files)} images did not end: {job}")
            time.sleep(LOOK_SECONDS)
        if job.counts.succeeded != len(files):
            raise SystemExit(f"not every image succeeded: {job.counts}")


def submit(api: Phytobatch, job_id: str, files: list[Path]) -> None:
    """Upload the files and commit."""
    targets = api.add_images(job_id, [ImageSpec.of_file(file, file.name) for file in files])
    for target, file in zip(targets, files, strict=True):
        api.upload(target, file)
    api.commit(job_id)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def report(alone: dict[str, list[float]], beside: dict[str, list[float]]) -> None:
    """Both, and how many times longer it took beside the bulk job."""
    print("\n| what | rounds | alone p50 | p95 | beside p50 | p95 | ratio p50 | p95 |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for what, seconds in alone.items():
        (p50, p95), (slow50, slow95) = spread_of(seconds), spread_of(beside[what])
        print(
            f"| {what} | {len(seconds)} | {p50:.2f} s | {p95:.2f} s | {slow50:.2f} s | {slow95:.2f} s "
            f"| {slow50 / p50:.1f} | {slow95 / p95:.1f} |"
        )


def spread_of(seconds: list[float]) -> tuple[float, float]:
    """Median and the 95th percentile."""
    return median(seconds), quantiles(seconds, n=20, method="inclusive")[18]


if __name__ == "__main__":
    main()
