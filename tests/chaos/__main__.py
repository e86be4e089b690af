"""``python -m tests.chaos --seed N --minutes M``: a random campaign against the whole service, and a checker.

Everything runs on loopback, on servers of its own, and ends by itself. Exit status 1: something was lost, doubled, or
other than in a calm run.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.servers import LocalServers
from phytobatch import Phytobatch
from phytobatch.errors import PhytobatchError
from tests.acceptance.system import System
from tests.chaos.checker import Answer, Checker
from tests.chaos.inputs import pictures
from tests.chaos.load import PATIENCE_SECONDS, TILING, Tenant
from tests.chaos.nemesis import Nemesis
from tests.chaos.report import report
from tests.chaos.world import World, wait_ready
from tests.integration.webhooks.receiver import Receiver

TENANTS = ("alpha", "beta", "gamma")
READY_SECONDS = 120.0
SETTLE_SECONDS = 300.0
COSTLY_SECONDS = "0.5"  # Of a processor; there are hundreds of costly pictures.
# While the deliverer is killed, time must not be lost to long pauses.
RECEIVER_SCHEDULE = "0,1,2,3,5,8,10,10,15,20,30,30,60"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one campaign; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--logs", type=Path, help="folder for the logs of the programs (default: a temporary one)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        logs = given.logs or Path(scratch) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        return _campaign(given.seed, given.minutes * 60, given.workers, logs, Path(scratch))


def _campaign(seed: int, seconds: float, workers: int, logs: Path, scratch: Path) -> int:
    print(f"chaos: seed {seed}, {seconds / 60:g} minutes, {workers} workers, {len(TENANTS)} tenants", flush=True)
    with LocalServers.temporary() as servers, Receiver() as receiver:
        system = System(
            servers,
            logs,
            PHYTOBATCH_WEBHOOK_SCHEDULE=RECEIVER_SCHEDULE,
            PHYTOBATCH_ISOLATED_PROCESSOR_SECONDS=COSTLY_SECONDS,
        )
        world = World.of(system, workers)
        try:
            system.prepare()
            world.tend()
            wait_ready(system.url, READY_SECONDS)
            leaves = pictures()
            calm, calm_tiles = _calm(system, leaves, scratch), _calm(system, leaves, scratch, tiling=TILING)
            tenants = [_tenant(system, name, leaves, receiver.url, scratch, seed) for name in TENANTS]
            nemesis = Nemesis(world, seed)
            _storm(nemesis, tenants, seconds)
            settled = _settle(system, nemesis, tenants)
            found = Checker(system, calm, calm_tiles).check(tenants, receiver.requests)
            report(system, nemesis, tenants, found, settled)
        finally:
            system.stop()
    return 1 if found.wrong or found.lost or found.doubled else 0


def _calm(system: System, leaves: list[bytes], scratch: Path, tiling: dict[str, float] | None = None) -> list[Answer]:
    """Classify each picture while nothing happens, and return the answers."""
    files = [scratch / f"calm-{number:02d}.jpg" for number in range(len(leaves))]
    for path, leaf in zip(files, leaves, strict=True):
        path.write_bytes(leaf)
    job_id = system.submit(files, tiling=tiling)
    system.wait_for_end(job_id)
    results = system.results(job_id)
    return [(result.label or "", result.confidence or 0.0) for result in results]


def _tenant(system: System, name: str, leaves: list[bytes], hook: str, scratch: Path, seed: int) -> Tenant:
    system.admin("create-tenant", name)
    log_before = len(list(system.folder.iterdir()))
    system.admin("create-key", "--tenant", name, "--name", "chaos", "--scopes", "admin")
    (log,) = sorted(system.folder.glob("*-admin.log"))[-1:]
    key = next(word for word in log.read_text().split() if word.startswith("pb_"))
    assert len(list(system.folder.iterdir())) == log_before + 1
    with Phytobatch(system.url, key) as api:
        api.webhooks.create(hook)
    folder = scratch / name
    folder.mkdir()
    return Tenant(name, system.url, key, leaves, folder, seed * 100 + TENANTS.index(name))


def _storm(nemesis: Nemesis, tenants: list[Tenant], seconds: float) -> None:
    """Users and nemesis side by side; the users end first, and are still hurt while they finish what they began."""
    users_stop, nemesis_stop = threading.Event(), threading.Event()
    users = [threading.Thread(target=tenant.run, args=[users_stop], name=tenant.name) for tenant in tenants]
    harm = threading.Thread(target=nemesis.run, args=[nemesis_stop], name="nemesis")
    for thread in (harm, *users):
        thread.start()
    try:
        until = time.monotonic() + seconds
        while time.monotonic() < until and harm.is_alive():
            time.sleep(1)
    finally:
        users_stop.set()
        nemesis_stop.set()
        harm.join()
    # From here on only what has ended is started again.
    keep = threading.Event()
    keeper = threading.Thread(target=_tend, args=[nemesis.world, keep], name="keeper")
    keeper.start()
    for thread in users:
        thread.join(2 * PATIENCE_SECONDS)
    keep.set()
    keeper.join()


def _tend(world: World, stop: threading.Event) -> None:
    while not stop.wait(0.5):
        world.tend()


def _settle(system: System, nemesis: Nemesis, tenants: list[Tenant]) -> float:
    """Wait until every accepted job is over, and every export and delivery made, within a bound; return the seconds."""
    began = time.monotonic()
    jobs = [sent.job_id for tenant in tenants for sent in tenant.sent]
    while time.monotonic() - began < SETTLE_SECONDS:
        nemesis.world.tend()
        try:
            with system.sql() as sql:
                (open_jobs,) = sql.execute(
                    "SELECT count(*) FROM jobs WHERE id = ANY(%s::uuid[]) AND finished_at IS NULL", [jobs]
                ).fetchone() or (1,)
                (due,) = sql.execute(
                    "SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending') "
                    "+ (SELECT count(*) FROM exports WHERE state IN ('queued', 'running'))"
                ).fetchone() or (1,)
        except Exception as error:  # noqa: BLE001  # Postgres may still be coming back
            print(f"  (waiting: {error})", flush=True)
        else:
            if open_jobs == due == 0:
                break
        time.sleep(0.5)
    return time.monotonic() - began


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PhytobatchError as error:
        sys.exit(f"the campaign could not be set up: {error}")
