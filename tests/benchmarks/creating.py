"""``python -m tests.benchmarks.creating``: a job of 20,000 images from nothing to committed, without the uploads.

The client is counted, too: it writes the names, and reads every upload URL. Each round is a job of its own.
"""

import argparse
import time
import uuid

import psutil

from phytobatch import ImageSpec
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.throughput import production_system

PAGE = 1000
MAX_SECONDS = 60


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    figures = Figures("creating", f"a job of {asked.images} images: created, named, all URLs signed, committed")
    with production_system() as system:
        api = psutil.Process(next(child.pid for child in system.children if child.program.name == "api"))
        rounds = [create(system, api, asked.images) for _ in range(asked.rounds)]
        figures.add("create, name, sign and commit", [one[0] for one in rounds], "s", goal="≤ 6 s")
        figures.add("processor of the client", [one[1] for one in rounds], "s")
        figures.add("processor of the API", [one[2] for one in rounds], "s")
        figures.add("sign a page of 1,000 uploads", sign(system, asked.rounds), "ms", goal="< 100 ms")
    figures.keep()


def create(system: System, api: psutil.Process, count: int) -> tuple[float, float, float]:
    """Seconds, and those of the processor in the client and in the API, of one job."""
    images = [ImageSpec(name=f"flight/{n:06d}.jpg", size=2_000_000, sha256=f"{n:064x}") for n in range(count)]
    api_before, began, client_before = processor(api), time.perf_counter(), time.process_time()
    with system.client() as client:
        job = client.create_job(name="large")
        urls = sum(len(client.add_images(job.id, images[at : at + PAGE])) for at in range(0, count, PAGE))
        client.commit(job.id)
        taken = time.perf_counter() - began, time.process_time() - client_before, processor(api) - api_before
        client.cancel(job.id)
    if urls != count:
        raise SystemExit(f"{urls} URLs for {count} images")
    return taken


def sign(system: System, rounds: int) -> list[float]:
    """Milliseconds of a page of upload URLs with length and checksum, in this process."""
    given = system.environment.items()
    fields = {n.removeprefix("PHYTOBATCH_").lower(): v for n, v in given if n.startswith("PHYTOBATCH_")}
    store = S3Store(Settings(**fields))  # type: ignore[arg-type]  # pydantic reads texts
    job_id, taken = uuid.uuid4(), []
    for _ in range(rounds):
        began = time.perf_counter()
        for seq in range(PAGE):
            store.presign_put(upload_key(job_id, seq), size=2_000_000, sha256=bytes(32), seconds=MAX_SECONDS)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def processor(process: psutil.Process) -> float:
    """Seconds of processor that a process has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
