"""``python -m tests.benchmarks.fairness``: what a saturating bulk job costs those who send little beside it.

One worker with the settings of production. First alone, then while a job of full-size images of another tenant fills
every slot: `POST /predict` with small and with full-size photographs, a job of ten full-size images of another tenant,
and one with the priority `interactive` of the very tenant whose bulk job runs.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from phytobatch import ImageSpec, Phytobatch
from shared.db.session import Database
from shared.settings import Settings
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from tests.benchmarks.throughput import production_system
from tests.integration.conftest import insert_key, insert_tenant

WAIT_SECONDS = 600.0
POLL_SECONDS = 0.05
JOB_IMAGES = 10
SMALL = "POST /predict, 256 px"
FULL = "POST /predict, 10.7 megapixels"
GOALS = {SMALL: ("≤ 80 ms", "≤ 800 ms"), FULL: (None, "≤ 800 ms")}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bulk", type=int, default=3200, help="images of the bulk job")
    parser.add_argument("--predictions", type=int, default=40, help="of each size")
    parser.add_argument("--jobs", type=int, default=10, help="rounds of the jobs of ten images")
    asked = parser.parse_args()
    figures = Figures("fairness", "one photograph, and ten, alone and beside a saturating bulk job")
    with production_system() as system:
        small, full = (system.folder / kind for kind in ("small", "full"))
        print(write_set("small", small, asked.predictions))
        print(write_set("full", full, max(asked.predictions, asked.jobs * JOB_IMAGES)))
        files = sorted(full.iterdir())
        rounds = Rounds(system, another_tenant(system), sorted(small.iterdir()), files, asked.predictions, asked.jobs)
        system.start_worker()
        once(system.api_key, system, files[:2], priority="bulk")  # everything is warm
        os.sync()  # What is still on its way to the disk, from earlier benchmarks too, slows each commit down.
        alone = rounds.measure()
        print(write_set("full", full, asked.bulk))
        os.sync()
        bulk = system.submit(sorted(full.iterdir()))
        system.wait_until(bulk, lambda job: job.counts.succeeded > 0)
        beside = rounds.measure()
        report(figures, alone, beside)
        job = system.job(bulk)
        print(f"of the bulk job, {job.counts.succeeded} of {job.counts.total} images were through when this ended")
        if job.is_terminal:
            raise SystemExit("the bulk job ended too early; ask for more images with --bulk")
    print(figures.keep())


def another_tenant(system: System) -> str:
    """A key of a tenant of its own."""
    given = system.environment.items()
    fields: dict[str, Any] = {n.removeprefix("PHYTOBATCH_").lower(): v for n, v in given if n.startswith("PHYTOBATCH_")}
    database = Database(Settings(**fields), pool_size=1)
    try:
        return insert_key(database, insert_tenant(database))
    finally:
        database.dispose()


@dataclass(frozen=True, slots=True)
class Rounds:
    """What is sent, alone and then beside the bulk job."""

    system: System
    other: str
    small: list[Path]
    full: list[Path]
    predictions: int
    jobs: int

    def measure(self) -> dict[str, list[float]]:
        """Seconds of every request and every job, by what it is."""
        parts = [self.full[n * JOB_IMAGES : (n + 1) * JOB_IMAGES] for n in range(self.jobs)]
        return {
            SMALL: self._predicted(self.small),
            FULL: self._predicted(self.full[: self.predictions]),
            "ten images, another tenant": [timed(self._job(self.other, part, "bulk")) for part in parts],
            "ten images, same tenant, interactive": [
                timed(self._job(self.system.api_key, part, "interactive")) for part in parts
            ],
        }

    def _predicted(self, files: list[Path]) -> list[float]:
        with Phytobatch(self.system.url, api_key=self.other) as api:
            return [timed(partial(api.predict, file)) for file in files]

    def _job(self, key: str, files: list[Path], priority: str) -> Callable[[], None]:
        return partial(once, key, self.system, files, priority=priority)


def once(key: str, system: System, files: list[Path], *, priority: str) -> None:
    """Submit a job and wait for its end."""
    with Phytobatch(system.url, api_key=key) as api:
        created = api.create_job(priority=priority)
        submit(api, created.id, files)
        until = time.monotonic() + WAIT_SECONDS
        while not (job := api.job(created.id)).is_terminal:
            if time.monotonic() > until:
                raise SystemExit(f"a job of {len(files)} images did not end: {job}")
            time.sleep(POLL_SECONDS)
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


def report(figures: Figures, alone: dict[str, list[float]], beside: dict[str, list[float]]) -> None:
    """Both, and how many times longer it took beside the bulk job."""
    for what, seconds in alone.items():
        (p50, p95), (slow50, slow95) = spread_of(seconds), spread_of(beside[what])
        goals = GOALS.get(what, (None, None))
        figures.add(f"{what}: alone, p50", p50 * 1000, "ms", goal=goals[0])
        figures.add(f"{what}: alone, p95", p95 * 1000, "ms")
        figures.add(f"{what}: beside bulk, p50", slow50 * 1000, "ms")
        figures.add(f"{what}: beside bulk, p95", slow95 * 1000, "ms", goal=goals[1])
        figures.add(f"{what}: beside / alone, p50", slow50 / p50)


def spread_of(seconds: list[float]) -> tuple[float, float]:
    """Median and the 95th percentile."""
    return median(seconds), quantiles(seconds, n=20, method="inclusive")[18]


if __name__ == "__main__":
    main()
