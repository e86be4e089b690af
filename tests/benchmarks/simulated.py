"""``python -m tests.benchmarks.simulated``: the simulation of ``tests.benchmarks.capacity`` against the real system.

One worker classifies a bulk job alone, twice: that gives seconds per image, per write and per round trip, and what an
image costs the servers. Then a bulk job has small ones beside it, and the simulation does the very same with what was
measured alone. The ratios say how far it is to be trusted.

The worker decodes at a fixed pace, so that a busy machine does not change its speed between the two; ``--real`` takes
the shipped classifier, on an idle machine.
"""

import argparse
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import LiteralString

from deploy.local.ports import free_port
from phytobatch import Phytobatch
from tests.acceptance.system import System
from tests.benchmarks.capacity.arrivals import Job
from tests.benchmarks.capacity.inputs import Work, WorkerClass
from tests.benchmarks.capacity.outcome import Outcome
from tests.benchmarks.capacity.simulation import Simulation
from tests.benchmarks.fairness import another_tenant, submit
from tests.benchmarks.figures import Figures
from tests.benchmarks.footprint import upload
from tests.benchmarks.images import write_set
from tests.benchmarks.paced_worker import PACE
from tests.benchmarks.simulated_readings import Reading, read
from tests.benchmarks.throughput import production_system

THOUSAND = 1000
SMALL_JOB = 10
PAUSE_SECONDS = 0.3
READ_SECONDS = 0.1
IDLE_SECONDS = 12.0
ENDED: LiteralString = "finished_at IS NOT NULL"
WAIT_SECONDS = 100.0
POLL_SECONDS = 2.0  # what Retry-After asks of clients
# What a reading has and the inputs name, and its unit.
COSTS = {
    "wal_bytes": "bytes",
    "transactions": "",
    "redis_commands": "",
    "postgres_seconds": "s of processor",
    "api_seconds": "s of processor",
    "worker_seconds": "s of processor",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A job by the clock of the database, in seconds; ``at`` is its commit."""

    at: float
    validated: float
    ended: float
    images: int

    @property
    def seconds(self) -> float:
        """From the commit to the end."""
        return self.ended - self.at

    @property
    def images_per_second(self) -> float:
        """Of the classification alone."""
        return self.images / (self.ended - self.validated)


def main() -> None:
    """Measure, simulate, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alone", type=int, default=640, help="images of the bulk jobs that run alone")
    parser.add_argument("--beside", type=int, default=960, help="images of the bulk job beside small ones")
    parser.add_argument("--pace", type=float, default=40.0, help="images/s that the worker decodes")
    parser.add_argument("--real", action="store_true", help="the real classifier, as fast as it can")
    asked = parser.parse_args()
    figures = Figures("simulated", "simulation: one worker, measured and simulated; what an image costs the servers")
    with production_system() as system:
        folder = system.folder / "small"
        print(write_set("small", folder, max(asked.alone, asked.beside)))
        files = sorted(folder.iterdir())
        port = free_port()
        program = "worker" if asked.real else "tests.benchmarks.paced_worker"
        system.start_worker(program, PHYTOBATCH_METRICS_PORT=str(port), **{PACE: str(1 / asked.pace)})
        bulk(system, files[:64])  # everything is warm
        idle = idling(figures, system, port)
        alone = [measured(system, port, files[: asked.alone]) for _ in range(2)]
        work, kind = inputs_of(figures, alone)
        costs(figures, alone, idle)
        large, small = contention(system, files[: asked.beside])
    compare(figures, simulate(work, kind, large, small), large, small)
    print(figures.keep())


def idling(figures: Figures, system: System, port: int) -> Reading:
    """What a worker, an API and beat do in a second without work."""
    before = read(system, port)
    time.sleep(IDLE_SECONDS)
    idle = (read(system, port) - before) / IDLE_SECONDS
    figures.add("measured.idle_transactions_per_second", idle.transactions)
    figures.add("measured.idle_redis_commands_per_second", idle.redis_commands)
    return idle


def measured(system: System, port: int, files: list[Path]) -> tuple[Run, Reading, float]:
    """A bulk job alone, from its creation on; what the servers did meanwhile; for how many seconds."""
    before, began = read(system, port), time.monotonic()
    run = bulk(system, files)
    return run, read(system, port) - before, time.monotonic() - began


def bulk(system: System, files: list[Path]) -> Run:
    """Upload, commit, and poll as clients are asked to."""
    job_id = upload(system, files)
    with system.client() as api:
        api.commit(job_id)
        until = time.monotonic() + WAIT_SECONDS
        while not api.job(job_id).is_terminal:
            if time.monotonic() > until:
                raise SystemExit(f"a job of {len(files)} images did not end in {WAIT_SECONDS} s")
            time.sleep(POLL_SECONDS)
    return run_of(system, job_id)


def run_of(system: System, job_id: str) -> Run:
    """The moments of a job that is over."""
    with system.sql() as sql:
        row = sql.execute(
            "SELECT extract(epoch FROM committed_at), extract(epoch FROM queued_at), extract(epoch FROM finished_at), "
            "succeeded, total FROM jobs WHERE id = %s",
            [job_id],
        ).fetchone()
    if row is None or row[3] != row[4]:
        raise SystemExit(f"not every image succeeded: {row}")
    return Run(float(row[0]), float(row[1]), float(row[2]), row[4])


def inputs_of(figures: Figures, alone: Sequence[tuple[Run, Reading, float]]) -> tuple[Work, WorkerClass]:
    """The inputs of the simulation, as ``tests.benchmarks.capacity`` names them."""
    rates = figures.add("workers.images_per_second", [run.images_per_second for run, _, _ in alone], "images/s")
    validation = [(run.validated - run.at) * THOUSAND / run.images for run, _, _ in alone]
    validating = figures.add("work.validate_seconds_per_1000", validation, "s")
    write = figures.add("work.write_seconds", [reading.write_seconds for _, reading, _ in alone], "s")
    trip = figures.add("work.round_trip_seconds", [reading.round_trip_seconds for _, reading, _ in alone], "s")
    work = Work(
        write_seconds=write.median,
        round_trip_seconds=trip.median,
        validate_seconds_per_1000=validating.median,
    )
    return work, WorkerClass(name="measured", images_per_second=rates.median)


def costs(figures: Figures, alone: Sequence[tuple[Run, Reading, float]], idle: Reading) -> None:
    """What an image costs the servers, from the creation of its job to the end, beside what they do when idle."""
    for name, unit in COSTS.items():
        values = [
            max(getattr(reading, name) - seconds * getattr(idle, name), 0.0) * THOUSAND / run.images
            for run, reading, seconds in alone
        ]
        figures.add(f"measured.{name}_per_1000", values, unit)


def contention(system: System, files: list[Path]) -> tuple[Run, list[tuple[Run, bool]]]:
    """A bulk job, and small ones beside it: bulk of another tenant, and interactive of the same tenant, in turn."""
    other = another_tenant(system)
    large = upload(system, files)
    with system.client() as api:
        api.commit(large)
    wait_for(system, large, "succeeded > 0")  # who comes first while the bulk job is validated is a matter of luck
    small: list[tuple[str, bool]] = []
    for number in itertools.count():
        urgent = number % 2 == 1
        part = files[number * SMALL_JOB : (number + 1) * SMALL_JOB]
        if is_so(system, large, ENDED) or not part:
            break
        small.append((small_job(system, system.api_key if urgent else other, part, urgent=urgent), urgent))
        time.sleep(PAUSE_SECONDS)
    wait_for(system, large, ENDED)
    runs = [(run_of(system, job_id), urgent) for job_id, urgent in small]
    whole = run_of(system, large)
    return whole, [(run, urgent) for run, urgent in runs if run.ended < whole.ended]


def small_job(system: System, key: str, files: list[Path], *, urgent: bool) -> str:
    """Ten images, submitted and waited for."""
    with Phytobatch(system.url, api_key=key) as api:
        job = api.create_job(priority="interactive" if urgent else "bulk")
        submit(api, job.id, files)
    wait_for(system, job.id, ENDED)
    return job.id


def wait_for(system: System, job_id: str, condition: LiteralString) -> None:
    """Look into the database, which costs less of what is measured than the API."""
    until = time.monotonic() + WAIT_SECONDS
    while not is_so(system, job_id, condition):
        if time.monotonic() > until:
            raise SystemExit(f"job {job_id}: {condition} did not come in {WAIT_SECONDS} s")
        time.sleep(READ_SECONDS)


def is_so(system: System, job_id: str, condition: LiteralString) -> bool:
    """Return True if something holds for the row of a job."""
    with system.sql() as sql:
        row = sql.execute("SELECT " + condition + " FROM jobs WHERE id = %s", [job_id]).fetchone()  # noqa: S608  # ours
    return bool(row and row[0])


def simulate(work: Work, kind: WorkerClass, large: Run, small: list[tuple[Run, bool]]) -> Outcome:
    """The same jobs at the same moments: tenant 0 has the bulk job and the interactive ones."""
    jobs = [Job(0, 0, 0.0, large.images)]
    jobs += [
        Job(number, int(not urgent), run.at - large.at, run.images, urgent)
        for number, (run, urgent) in enumerate(small, start=1)
    ]
    return Simulation(work, kind, (1, 1), most=1).run(jobs)


def compare(figures: Figures, simulated: Outcome, large: Run, small: list[tuple[Run, bool]]) -> None:
    """Simulated / measured: 1 is right, below 1 promises too much."""
    figures.add("bulk job beside small ones, measured", large.seconds, "s")
    figures.add("bulk job beside small ones, simulated / measured", simulated.job_seconds[0] / large.seconds)
    for name, wanted in (("bulk, another tenant", False), ("interactive, same tenant", True)):
        numbers = [number for number, (_, urgent) in enumerate(small, start=1) if urgent is wanted]
        if not numbers:
            raise SystemExit("the bulk job ended too early; ask for more images with --beside")
        took = [small[number - 1][0].seconds for number in numbers]
        figures.add(f"ten images beside it, {name}, measured", took, "s")
        figures.add(
            f"ten images beside it, {name}, simulated / measured, means",
            mean(simulated.job_seconds[number] for number in numbers) / mean(took),
        )


if __name__ == "__main__":
    main()
