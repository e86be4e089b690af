"""``python -m tests.benchmarks.throughput``: images per second of the system and of a plain loop, side by side.

The system runs from commit to completed with every result stored durably (fsync on). Floor and system alternate, so
that both meet the same machine.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from deploy.local.servers import LocalServers
from tests.acceptance.system import System
from tests.benchmarks.images import write_set
from tests.benchmarks.report import heading, spread

SETS = {"small": 1000, "full": 500}
# The defaults of production, not the short times of the tests.
PRODUCTION = {
    "PHYTOBATCH_LEASE_SECONDS": "60",
    "PHYTOBATCH_LEASE_RENEW_SECONDS": "15",
    "PHYTOBATCH_SWEEP_SECONDS": "10",
    "PHYTOBATCH_IDLE_LOOK_SECONDS": "3",
    "PHYTOBATCH_CHUNK_IMAGES": "64",
    "PHYTOBATCH_BATCH_SIZE": "32",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--images", type=int, help="images of each set; the default is 1000 small and 500 full-size")
    asked = parser.parse_args()
    heading("throughput: system from commit to completed, against a plain loop over local files")
    with production_system() as system:
        for kind in asked.sets:
            measure(system, system.folder / kind, kind, asked.images or SETS[kind], asked.rounds)


@contextmanager
def production_system(**overrides: str) -> Iterator[System]:
    """Real servers with fsync, API and beat, with the times of production; workers are started by the benchmark."""
    with (
        tempfile.TemporaryDirectory(prefix="phytobatch-bench-") as temporary,
        LocalServers.temporary(fast=False) as servers,
    ):
        system = System(servers, Path(temporary), **PRODUCTION, **overrides)
        try:
            system.prepare()
            system.start_api()
            system.start_beat()
            yield system
        finally:
            system.stop()


def measure(system: System, folder: Path, kind: str, count: int, rounds: int) -> None:
    """Alternate floor and system; print medians and the ratio."""
    print(f"\n## {kind}: {write_set(kind, folder, count)}")
    files = sorted(folder.iterdir())
    floors, systems = [], []
    for number in range(rounds):
        floors.append(plain_loop(folder))
        system.start_worker()
        systems.append(through_the_system(system, files))
        system.stop_workers()
        print(f"round {number + 1}: floor {floors[-1]:.1f} images/s, system {systems[-1]:.1f} images/s", flush=True)
    print(f"floor  {spread(floors, 'images/s')}")
    print(f"system {spread(systems, 'images/s')}")
    print(f"ratio system / floor: {median(systems) / median(floors):.2f}", flush=True)


def plain_loop(folder: Path) -> float:
    """The floor, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.plain_loop", str(folder)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def through_the_system(system: System, files: list[Path]) -> float:
    """Images per second from commit to completed, by the clock of the database."""
    job_id = system.submit(files)
    job = system.wait_for_end(job_id, seconds=1200)
    if job.counts.succeeded != len(files):
        raise SystemExit(f"not every image succeeded: {job.counts}")
    with system.sql() as sql:
        row = sql.execute(
            "SELECT extract(epoch FROM finished_at - committed_at) FROM jobs WHERE id = %s", [job_id]
        ).fetchone()
    return len(files) / float(row[0] if row else 0)


if __name__ == "__main__":
    main()
