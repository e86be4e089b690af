"""``python -m tests.benchmarks.split``: where the time of the worker goes, and that of the processors, image by image.

Wall-clock time per image in each stage adds up over the threads that work in it. Of the processor each program has its
share; the worker's is divided by what its threads are for.
"""

import argparse
import json
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from deploy.local.child import Child
from shared.processors import processors
from tests.acceptance.system import System
from tests.benchmarks.figures import Figures
from tests.benchmarks.footprint import upload
from tests.benchmarks.images import write_set
from tests.benchmarks.split_worker import EVERY_SECONDS, FILE
from tests.benchmarks.throughput import POLL_SECONDS, TOOK, production_system

COUNTS = {"small": 600, "full": 200}
# Of the worker's threads, by what their names contain; the first that fits counts.
ROLES = {
    "download": "download",
    "decode": "decode",
    "native": "the classifier's own threads",
    "poller": "chunks: predict and write",
    "threadpoolexecutor": "chunks: predict and write",  # Celery's
    "split": "this measurement",
}
REST = "all other threads"

Seconds = dict[str, float]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, help="of each set, instead of its own number")
    asked = parser.parse_args()
    figures = Figures("split", "split: where time and processor go, per image, in a job of one worker")
    with production_system() as system:
        for kind, count in COUNTS.items():
            print(f"\n## {write_set(kind, system.folder / kind, asked.images or count)}", flush=True)
            rounds = [_round(system, sorted((system.folder / kind).iterdir())) for _ in range(asked.rounds)]
            for name in rounds[0]:
                unit = "" if name.startswith("share") else "ms"
                figures.add(f"{kind}: {name}", [one.get(name, 0.0) for one in rounds], unit)
    print(figures.keep())


def _round(system: System, files: Sequence[Path]) -> Seconds:
    """One job of a worker that has just started; milliseconds per image, and shares."""
    said = system.folder / f"split-{time.monotonic_ns()}.json"
    worker = system.start_worker("tests.benchmarks.split_worker", **{FILE: str(said)})
    try:
        job_id = upload(system, list(files))
        before, programs = _read(said), _programs(system)
        rate = len(files) / _classify(system, job_id)
        used = _difference(_programs(system), programs)
        after = _read(said)
    finally:
        worker.send(signal.SIGTERM)
        worker.stop()
        system.children.remove(worker)
    each = 1000 / len(files)
    stages = _difference(after["stages"], before["stages"])
    busy = (after["busy"] - before["busy"]) * rate / len(files)
    found = {"wall, commit to completed": 1000 / rate}
    found |= {f"wall in {stage}, all threads": seconds * each for stage, seconds in stages.items()}
    found |= {"wall without a call of the classifier (idle)": (1 - busy) * 1000 / rate}
    found |= {f"processor of {name}": seconds * each for name, seconds in used.items()}
    found |= {
        f"processor of worker, {role}": seconds * each
        for role, seconds in _by_role(_difference(after["threads"], before["threads"])).items()
    }
    found |= {"share of all processors that was used": sum(used.values()) * rate / len(files) / processors()}
    return found


def _classify(system: System, job_id: str) -> float:
    """Seconds from commit to completed, by the clock of the database; nobody asks the API meanwhile."""
    with system.client() as api:
        api.commit(job_id)
    with system.sql() as sql:
        while (row := sql.execute(TOOK, [job_id]).fetchone()) is None or row[0] is None:
            time.sleep(POLL_SECONDS)
    return float(row[0])


def _read(said: Path) -> dict[str, Any]:
    """What the worker says, at the latest."""
    time.sleep(2 * EVERY_SECONDS)
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
    return found


def _programs(system: System) -> Seconds:
    """Processor of every program of the system and of its servers, with their children."""
    running: dict[str, int] = {server.name: server.pid for server in system.servers.all}
    running |= {child.program.name: child.pid for child in system.children if _counts(child)}
    return {name: _processor(psutil.Process(pid)) for name, pid in running.items()}


def _counts(child: Child) -> bool:
    return child.program.name != "admin"


def _processor(process: psutil.Process) -> float:
    """Of a process, its children, and those of them that have ended."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _by_role(threads: Mapping[str, float]) -> Seconds:
    found: Seconds = {}
    for name, seconds in threads.items():
        role = next((role for part, role in ROLES.items() if part in name.lower()), REST)
        found[role] = found.get(role, 0.0) + seconds
    return found


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> Seconds:
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


if __name__ == "__main__":
    main()
