"""A thread that hangs cannot be ended from outside, so its process is; waiting in vain does not look alive.

The process has a clock that moves by half a second a turn, so that no pause of a busy machine looks like a hang.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.integration.jobs.factory import Jobs
from worker.leasing.leases import EXIT_STUCK

ROOT = Path(__file__).parents[4]
HOLDS_A_CHUNK = """
import sys, threading, time
from shared.contracts.states import ChunkKind, Priority
from shared.db.session import Database
from shared.jobs.claims import Offer, claim
from shared.settings import get_settings
from worker.leasing import leases
from worker.leasing.leases import LeaseKeeper

class Clock:
    now = 0.0
    def monotonic(self):
        return self.now

clock = leases.time = Clock()

database = Database(get_settings())
with database.begin() as session:
    held_claim = claim(session, [Offer(ChunkKind.VALIDATE, Priority.BULK)], worker="test", lease_seconds=60)
keeper = LeaseKeeper(database, lease_seconds=60, renew_seconds=0.2, stuck_seconds=1)
keeper.start()
with keeper.holding(held_claim, threading.Event()) as lease:
    for _ in range(20 if sys.argv[1] == "progress" else 10_000):
        lease.check()
        clock.now += 0.5
        if sys.argv[1] == "progress":
            lease.progressed()
        time.sleep(0.05)  # the keeper barks in its own thread, by the real clock
"""


@pytest.mark.parametrize(("what", "code"), [("waits in vain", EXIT_STUCK), ("progress", 0)])
def test_a_chunk_without_progress_ends_its_process(settings: Settings, jobs: Jobs, what: str, code: int) -> None:
    jobs.committed()
    environment = {
        "PHYTOBATCH_DATABASE_URL": settings.database_url.get_secret_value(),
        "PHYTOBATCH_REDIS_URL": settings.redis_url.get_secret_value(),
        "PHYTOBATCH_S3_BUCKET": settings.s3_bucket,
    }
    done = subprocess.run(
        [sys.executable, "-c", HOLDS_A_CHUNK, what],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr[-2000:]
