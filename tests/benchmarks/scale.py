"""``python -m tests.benchmarks.scale``: how soon a large job answers, and what a status poll takes while it runs."""

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from phytobatch import ImageSpec
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from tests.benchmarks.throughput import production_system

PAGE = 1000
POLL_PAUSE_SECONDS = 0.05


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[100, 1000, 5000], help="small images of each job")
    asked = parser.parse_args()
    figures = Figures("scale", "from the commit of a job to its first result, and polls beside it")
    with production_system() as system:
        system.start_worker()
        for count in asked.images:
            run(figures, system, system.folder / str(count), count)
    print(figures.keep())


def run(figures: Figures, system: System, folder: Path, count: int) -> None:
    """One job, polled twenty times a second."""
    print(write_set("small", folder, count))
    polls, first, seconds = _follow(system, _upload(system, sorted(folder.iterdir())))
    figures.add(f"{count:,} images: commit to first result", first, "s")
    figures.add(f"{count:,} images: commit to completed", seconds, "s")
    figures.add(f"{count:,} images: status poll, p50", statistics.median(polls), "ms")
    figures.add(f"{count:,} images: status poll, p95", statistics.quantiles(polls, n=20, method="inclusive")[-1], "ms")


def _upload(system: System, files: list[Path]) -> str:
    with system.client() as api, ThreadPoolExecutor(8) as pool:
        job = api.create_job(name="scale")
        for at in range(0, len(files), PAGE):
            page = files[at : at + PAGE]
            targets = api.add_images(job.id, [ImageSpec.of_file(file) for file in page])
            for done in [pool.submit(api.upload, target, file) for target, file in zip(targets, page, strict=True)]:
                done.result()
        return job.id


def _follow(system: System, job_id: str) -> tuple[list[float], float, float]:
    """Commit and poll: milliseconds of each poll, seconds to the first result and to the end."""
    polls: list[float] = []
    first = 0.0
    with system.client() as api:
        began = time.perf_counter()
        api.commit(job_id)
        while True:
            asked_at = time.perf_counter()
            job = api.job(job_id)
            now = time.perf_counter()
            polls.append((now - asked_at) * 1000)
            first = first or (now - began if job.counts.succeeded else 0.0)
            if job.is_terminal:
                return polls, first, now - began
            time.sleep(POLL_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
