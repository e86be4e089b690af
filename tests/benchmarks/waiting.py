"""``python -m tests.benchmarks.waiting``: what a thousand waiting clients cost one API process, and when they are told.

Half of the clients ask with ``?wait=60``, half have an event stream. They wait for one job, and then for as many
different jobs of one tenant; with Valkey, and after it was killed. The jobs are ended by the functions that a worker
calls, in this process; the clients are a process of their own.
"""

import argparse
import multiprocessing
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from sqlalchemy import select

from deploy.local.servers import LocalServers
from shared.classifiers import registry
from shared.contracts.job_request import JobRequest
from shared.contracts.states import ImageStatus, Priority
from shared.db.models import Classifier, Tenant
from shared.db.session import Database
from shared.hints import Hints
from shared.jobs import claims, lifecycle
from shared.jobs.chunks import pool_of
from shared.jobs.claims import Claim, Offer
from shared.jobs.cut import SINGLE
from shared.jobs.images import NewImage, add_images
from shared.jobs.results import NewResult
from shared.settings import Settings
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.waiting_clients import Task, Told, run

MEBIBYTE = 1024 * 1024
# Until the first looks are over and the memory is as it stays.
SETTLE_SECONDS = 3.0
LEASE_SECONDS = 600.0


class Ender:
    """Makes jobs with one image, and takes them to their end as a worker does."""

    def __init__(self, settings: Settings) -> None:
        self._hints = Hints(settings)
        self._hints.start()
        self._database = Database(settings, pool_size=2, announce=self._hints.announce)

    def make(self, count: int) -> list[uuid.UUID]:
        """Jobs in the queue."""
        made = []
        for _ in range(count):
            with self._database.begin() as session:
                tenant = session.scalars(select(Tenant)).one()
                classifier = registry.resolve(session)
                job = lifecycle.create_draft(session, tenant.id, JobRequest(), draft_hours=1)
                add_images(session, lifecycle.lock_job(session, job.id), [NewImage(name="a", size=1)], max_images=1)
                lifecycle.commit_arrived(session, job.id, classifier.id, sizes=SINGLE)
                made.append(job.id)
        return made

    def claim(self) -> list[Claim]:
        """Everything that is ready: the jobs run."""
        held: list[Claim] = []
        while True:
            with self._database.begin() as session:
                pool = pool_of(session.scalars(select(Classifier.id)).one())
                one = claims.claim(
                    session, [Offer(pool, Priority.BULK)], worker="benchmark", lease_seconds=LEASE_SECONDS
                )
            if one is None:
                return held
            held.append(one)

    def end(self, held: Sequence[Claim]) -> dict[str, float]:
        """End each job and return when that was stored."""
        ended = {}
        for one in held:
            result = NewResult(seq=one.first_seq, status=ImageStatus.SUCCEEDED, label="rust", confidence=1.0)
            with self._database.begin() as session:
                claims.finish(session, one, [result])
            ended[str(one.job_id)] = time.monotonic()
        return ended

    def close(self) -> None:
        """Let go of the servers."""
        self._hints.stop()
        self._database.dispose()


@dataclass(frozen=True, slots=True)
class Clients:
    """The process of the clients."""

    process: multiprocessing.Process
    pipe: Connection

    @classmethod
    def start(cls, task: Task) -> "Clients":
        """All of them ask."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=run, args=(task, theirs), daemon=True)
        process.start()
        if ours.recv() != "ready":
            raise AssertionError("the clients did not start")
        return cls(process, ours)  # type: ignore[arg-type]  # a process of the spawn context is one

    def told(self) -> list[Told]:
        """Who was told when; waits for the last."""
        found: list[Told] = self.pipe.recv()
        self.process.join()
        return found


@dataclass(frozen=True, slots=True)
class Case:
    """So many clients share so many jobs."""

    name: str
    clients: int
    jobs: int


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--idle", type=float, default=10.0, help="seconds of waiting that the processor is watched")
    asked = parser.parse_args()
    figures = Figures("waiting", f"{asked.clients:,} waiting clients on one API process")
    with (
        tempfile.TemporaryDirectory(prefix="phytobatch-bench-") as temporary,
        LocalServers.temporary(fast=False) as servers,
    ):
        system = System(servers, Path(temporary), PHYTOBATCH_LEASE_SECONDS="600")
        try:
            system.prepare()
            for redis in ("up", "down"):
                for name, jobs in (("one job", 1), ("a job each", asked.clients)):
                    print(f"\n## {asked.clients} clients, {name}, Redis {redis}", flush=True)
                    case = Case(f"{name}, Redis {redis}", asked.clients, jobs)
                    measure(figures, system, case, asked.idle)
                if redis == "up":
                    servers.valkey.kill()
        finally:
            system.stop()
    print(figures.keep())


def measure(figures: Figures, system: System, case: Case, idle: float) -> None:
    """One round with a fresh API process."""
    api = psutil.Process(system.start_api().pid)
    postgres = psutil.Process(system.servers.postgres.pid)
    ender = Ender(Settings(**_fields(system)))
    made = [str(job) for job in ender.make(case.jobs)]
    before = _mebibytes(api)
    waiting = Clients.start(Task(system.url, system.api_key, [made[n % case.jobs] for n in range(case.clients)]))
    time.sleep(SETTLE_SECONDS)
    figures.add(f"{case.name}: memory of the API (RSS), before", before, "MiB")
    figures.add(f"{case.name}: memory of the API (RSS), with the clients", _mebibytes(api), "MiB")
    _cost(figures, f"{case.name}: waiting in the queue", api, postgres, idle)
    held = ender.claim()
    time.sleep(SETTLE_SECONDS)
    _cost(figures, f"{case.name}: waiting while they run", api, postgres, idle)
    busy = _processor(api)
    ended = ender.end(held)
    told = waiting.told()
    used = _processor(api) - busy
    figures.add(f"{case.name}: processor of the API from the first end until the last was told", used, "s")
    for by in ("?wait=", "stream"):
        late = [one.at - ended[one.job_id] for one in told if one.by == by]
        print(f"by {by}, {len(late)} clients were told", flush=True)
        figures.add(f"{case.name}: told after the commit of the end, {by}, p50", median(late), "s")
        figures.add(f"{case.name}: told after the commit of the end, {by}, last", max(late), "s")
    ender.close()
    system.stop()


def _fields(system: System) -> dict[str, Any]:
    given = system.environment.items()
    return {n.removeprefix("PHYTOBATCH_").lower(): v for n, v in given if n.startswith("PHYTOBATCH_")}


def _cost(figures: Figures, name: str, api: psutil.Process, postgres: psutil.Process, seconds: float) -> None:
    """Processor time of a second of waiting."""
    api_before, postgres_before = _processor(api), _with_children(postgres)
    time.sleep(seconds)
    api_after, postgres_after = _processor(api), _with_children(postgres)
    figures.add(f"{name}, processor of the API", (api_after - api_before) / seconds, "s a second")
    figures.add(f"{name}, processor of PostgreSQL", (postgres_after - postgres_before) / seconds, "s a second")


def _with_children(process: psutil.Process) -> float:
    """Of those that live; the connections of an idle API do not change."""
    return sum(_processor(one) for one in (process, *process.children(recursive=True)))


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _mebibytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / MEBIBYTE


if __name__ == "__main__":
    main()
