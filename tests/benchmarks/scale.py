"""``python -m tests.benchmarks.scale``: how soon large jobs answer, and what they cost in memory."""

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from client import ImageSpec
from tests.acceptance.system import System
from tests.benchmarks.images import write_set
from tests.benchmarks.report import heading
from tests.benchmarks.throughput import production_system

PAGE = 1000
POLL_PAUSE_SECONDS = 0.05
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=int, default=5_000, help="small images of the job that runs")
    asked = parser.parse_args()
    heading("scale: answering, memory")
    with production_system() as system:
        run(system, system.folder / "small", asked.run)


def run(system: System, folder: Path, count: int) -> None:
    """Run a job of small images: first result, status polls, memory of the worker."""
    print(f"\n## small: {write_set('small', folder, count)}")
    files = sorted(folder.iterdir())
    worker = psutil.Process(system.start_worker().pid)
    at_start = _memory(worker)
    job_id = _upload(system, files)
    polls, first, seconds, after_first_thousand = _follow(system, job_id, worker)
    print(f"commit to first result: {first:.2f} s")
    print(f"commit to completed: {seconds:.1f} s, {count / seconds:.0f} images/s while it was polled")
    centiles = statistics.quantiles(polls, n=20)
    print(
        f"status poll while it runs: p50 {statistics.median(polls):.1f} ms, p95 {centiles[-1]:.1f} ms "
        f"({len(polls)} polls)"
    )
    print(
        f"worker memory (RSS): {at_start:.0f} MiB when ready, {after_first_thousand:.0f} MiB after 1,000 images, "
        f"{_memory(worker):.0f} MiB after {count}"
    )


def _upload(system: System, files: list[Path]) -> str:
    with system.client() as api, ThreadPoolExecutor(8) as pool:
        job = api.create_job(name="scale")
        for at in range(0, len(files), PAGE):
            page = files[at : at + PAGE]
            targets = api.add_images(job.id, [ImageSpec.of_file(file) for file in page])
            for done in [pool.submit(api.upload, target, file) for target, file in zip(targets, page, strict=True)]:
                done.result()
        return job.id


def _follow(system: System, job_id: str, worker: psutil.Process) -> tuple[list[float], float, float, float]:
    """Commit and poll: milliseconds of each poll, seconds to the first result and to the end, MiB after 1,000."""
    polls: list[float] = []
    first = memory = 0.0
    with system.client() as api:
        began = time.perf_counter()
        api.commit(job_id)
        while True:
            asked_at = time.perf_counter()
            job = api.job(job_id)
            now = time.perf_counter()
            polls.append((now - asked_at) * 1000)
            first = first or (now - began if job.counts.succeeded else 0.0)
            memory = memory or (_memory(worker) if job.counts.succeeded >= PAGE else 0.0)
            if job.is_terminal:
                return polls, first, now - began, memory
            time.sleep(POLL_PAUSE_SECONDS)


def _memory(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MEBIBYTE


if __name__ == "__main__":
    main()
