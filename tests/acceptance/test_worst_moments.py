"""A worker that dies between its two promises, and workers whose clocks are wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from shared.queue import WORK_QUEUE
from tests.acceptance.recovery import goes_on, recovers
from tests.acceptance.system import LONG_LEASE, System
from tests.acceptance.test_faults import LEASE, SLACK, assert_every_image_answered_once, attempts, running_chunks
from tests.patience import wait_for

DYING_WORKER = "tests.acceptance.dying_worker"
PREFIX = "phytobatch:"
MINUTES = 10


def chunks_by_state(system: System, job_id: str, state: str) -> list[tuple[int, int]]:
    with system.sql() as sql:
        return sql.execute(
            "SELECT no, attempt FROM chunks WHERE job_id = %s AND state = %s ORDER BY no", [job_id, state]
        ).fetchall()


def test_a_kill_between_commit_and_acknowledgement_does_no_work_twice(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    job_id = system.submit(leaf_files[:128])
    # It hears of work from Redis alone, so what it worked on is a message without an acknowledgement.
    dying = system.start_worker(DYING_WORKER, PHYTOBATCH_IDLE_LOOK_SECONDS="60")
    wait_for(lambda: dying.returncode, lambda code: code is not None)
    stored = system.results(job_id)
    assert len(stored) >= 16, "the results were committed"
    done = [(no, attempt) for no, attempt in chunks_by_state(system, job_id, "done") if no > 0]
    with redis.Redis.from_url(system.servers.valkey.url) as valkey:
        assert int(valkey.hlen(f"{PREFIX}unacked")) >= 1, "nobody acknowledged it"
        system.start_worker()
        recovers(goes_on(system, job_id), bound=LEASE + SLACK)
        system.wait_for_end(job_id)
        assert_every_image_answered_once(system, job_id, leaf_files[:128])
        before = attempts(system, job_id)
        assert all(before[no] == attempt == 1 for no, attempt in done)
        redeliver(valkey)
        wait_for(lambda: valkey.llen(f"{PREFIX}{WORK_QUEUE}"), lambda left: left == 0)
    assert attempts(system, job_id) == before, "the redelivered message found nothing to do"
    kept = {result.seq for result in stored}
    assert [result for result in system.results(job_id) if result.seq in kept] == stored


def redeliver(valkey: "redis.Redis") -> None:
    """Put the message into the queue again, as kombu does after the visibility timeout of 15 minutes."""
    for tag in list(valkey.hkeys(f"{PREFIX}unacked")):
        message, *_ = json.loads(valkey.hget(f"{PREFIX}unacked", tag) or "[]")
        valkey.lpush(f"{PREFIX}{WORK_QUEUE}", json.dumps(message))


@pytest.fixture(scope="module")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that moves clocks."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler; tests/contract/test_no_worker_time.py holds everywhere")
    library = tmp_path_factory.mktemp("clock") / "wrong_clock.so"
    source = Path(__file__).with_name("wrong_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def test_workers_whose_clocks_are_ten_minutes_off_change_nothing(
    quiet: System, leaf_files: list[Path], wrong_clock: Path
) -> None:
    system = quiet
    early, late = (
        {"LD_PRELOAD": str(wrong_clock), "WRONG_CLOCK_SECONDS": str(60 * minutes)} for minutes in (-MINUTES, MINUTES)
    )
    told = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"],
        env={**os.environ, **late},
        capture_output=True,
        text=True,
        check=True,
    )
    with system.sql() as sql:
        row = sql.execute("SELECT extract(epoch FROM now())").fetchone()
    assert row is not None
    assert float(told.stdout) - float(row[0]) > 60 * MINUTES - 30, "the clock is wrong indeed"
    system.start_worker(**early, **LONG_LEASE)
    system.start_worker(**late, **LONG_LEASE)
    job_id = system.submit(leaf_files)
    recovers(goes_on(system, job_id), bound=SLACK)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files)
    assert set(attempts(system, job_id)) == {1}, "no lease ran out"
    assert running_chunks(system) == 0
    with system.sql() as sql:
        ages = sql.execute(
            "SELECT max(abs(extract(epoch FROM finished_at - now()))) FROM results WHERE job_id = %s", [job_id]
        ).fetchone()
    assert ages is not None
    assert float(ages[0]) < 60 * MINUTES / 2, "the times of results are those of the database"
