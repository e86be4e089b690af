"""Survival of faults: real processes are killed, paused and cut off in the middle of a job.

Every test ends with the same question: did every image get exactly one answer?
"""

import signal
import time
from contextlib import closing
from pathlib import Path

import redis
import urllib3

from deploy.local.child import Child
from deploy.local.ports import free_port
from phytobatch import Job
from shared.queue import WORK_QUEUE
from tests.acceptance.recovery import goes_on, recovers
from tests.acceptance.system import FAST, LONG_LEASE, System
from tests.integration.metrics.scrape import scrape
from tests.patience import PATIENCE_SECONDS, wait_for

LEASE = float(FAST["PHYTOBATCH_LEASE_SECONDS"])
SLACK = 15.0  # on an idle machine the next claim comes within this time after a lease ran out
GRACE = 5.0  # the default of PHYTOBATCH_LIFELINE_GRACE_SECONDS


def under_way(job: Job) -> bool:
    """Some images are through, many are not."""
    return job.counts.succeeded >= 16 and job.counts.pending >= 32


def assert_every_image_answered_once(system: System, job_id: str, files: list[Path]) -> None:
    job = system.job(job_id)
    assert job.state == "completed", job
    assert (job.counts.total, job.counts.succeeded, job.counts.pending) == (len(files), len(files), 0)
    results = system.results(job_id)
    assert [result.name for result in results] == [file.name for file in files]
    assert {result.status for result in results} == {"succeeded"}
    with system.sql() as sql:
        events = sql.execute("SELECT type FROM events WHERE job_id = %s ORDER BY revision", [job_id]).fetchall()
    assert [event for (event,) in events] == ["job.validated", "job.started", "job.completed"]


def attempts(system: System, job_id: str) -> list[int]:
    with system.sql() as sql:
        rows = sql.execute("SELECT attempt FROM chunks WHERE job_id = %s ORDER BY no", [job_id]).fetchall()
    return [attempt for (attempt,) in rows]


def running_chunks(system: System) -> int:
    with system.sql() as sql:
        (count,) = sql.execute("SELECT count(*) FROM chunks WHERE state = 'running'").fetchone() or (0,)
    return int(count)


def in_reserve(system: System, **environment: str) -> Child:
    """A worker that is ready and stands still until somebody sends it SIGCONT."""
    worker = system.start_worker(**environment)
    worker.send(signal.SIGSTOP)
    return worker


def test_a_worker_killed_in_mid_job_is_replaced_long_before_its_lease_runs_out(
    quiet: System, leaf_files: list[Path]
) -> None:
    """With a lease of an hour: the end of the worker's own connection is what shows it."""
    system = quiet
    metrics_port, lease = free_port(), {"PHYTOBATCH_LEASE_SECONDS": "3600", "PHYTOBATCH_LEASE_RENEW_SECONDS": "900"}
    other = in_reserve(system, PHYTOBATCH_METRICS_PORT=str(metrics_port), **lease)
    doomed = system.start_worker(**lease)
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, lambda job: under_way(job) and running_chunks(system) > 0)
    doomed.kill()
    taken = running_chunks(system)
    other.send(signal.SIGCONT)
    recovers(lambda: sum(attempt == 2 for attempt in attempts(system, job_id)) == taken, bound=GRACE + SLACK)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files)
    assert sum(attempt == 2 for attempt in attempts(system, job_id)) == taken
    assert other.returncode is None
    assert scrape(metrics_port).value("phytobatch_lease_expiries_total") == taken


def test_a_worker_paused_past_its_lease_is_fenced_out(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    metrics_port = free_port()
    other = in_reserve(system)
    paused = system.start_worker(PHYTOBATCH_METRICS_PORT=str(metrics_port))
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, lambda job: under_way(job) and running_chunks(system) > 0)
    paused.send(signal.SIGSTOP)
    other.send(signal.SIGCONT)
    recovers(lambda: 2 in attempts(system, job_id), bound=LEASE + SLACK)
    system.wait_for_end(job_id)
    before = system.results(job_id)
    paused.send(signal.SIGCONT)
    log = paused.program.log
    wait_for(log.read_text, lambda text: "lease_lost" in text)
    wait_for(lambda: scrape(metrics_port).total("phytobatch_chunks_total", outcome="lease_lost"), bool)
    assert_every_image_answered_once(system, job_id, leaf_files)
    assert system.results(job_id) == before
    assert 2 in attempts(system, job_id)


def test_a_worker_told_to_stop_hands_its_chunks_back_at_once(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    leaving = system.start_worker(**LONG_LEASE)
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, lambda job: under_way(job) and running_chunks(system) > 0)
    leaving.send(signal.SIGTERM)
    recovers(lambda: running_chunks(system) == 0, bound=SLACK)
    assert leaving.wait(PATIENCE_SECONDS) == 0
    assert system.job(job_id).counts.pending > 0
    system.start_worker(**LONG_LEASE)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files)
    assert set(attempts(system, job_id)) == {1}


def test_redis_killed_and_back_empty_in_mid_job_loses_nothing(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker()
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, under_way)
    system.servers.valkey.kill()
    system.servers.valkey.restart(empty=True)
    recovers(goes_on(system, job_id), bound=SLACK)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files)
    again = system.submit(leaf_files[:32])
    system.wait_for_end(again)
    assert_every_image_answered_once(system, again, leaf_files[:32])


def test_while_redis_is_away_jobs_are_accepted_and_finished(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker()
    system.servers.valkey.kill()
    try:
        job_id = system.submit(leaf_files)
        recovers(goes_on(system, job_id), bound=SLACK)
        system.wait_for_end(job_id)
        assert_every_image_answered_once(system, job_id, leaf_files)
    finally:
        system.servers.valkey.restart()


def test_a_worker_told_to_stop_while_redis_is_away_hands_its_chunks_back_too(
    quiet: System, leaf_files: list[Path]
) -> None:
    system = quiet
    leaving = system.start_worker(**LONG_LEASE)
    system.servers.valkey.kill()
    try:
        job_id = system.submit(leaf_files)
        system.wait_until(job_id, lambda job: under_way(job) and running_chunks(system) > 0)
        leaving.stop()
        assert running_chunks(system) == 0
        assert system.job(job_id).counts.pending > 0
    finally:
        system.servers.valkey.restart()
    system.start_worker(**LONG_LEASE)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files)
    assert set(attempts(system, job_id)) == {1}


def test_lost_wakeups_cost_seconds_and_no_image(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    job_id = system.submit(leaf_files[:64])
    with redis.Redis.from_url(system.servers.valkey.url) as valkey:
        # The commit publishes a wake-up, and we take it away before a worker is there.
        wait_for(lambda: valkey.delete(f"phytobatch:{WORK_QUEUE}"), bool)
    system.start_worker()
    recovers(goes_on(system, job_id), bound=SLACK)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files[:64])


def test_postgres_restarted_in_mid_job_loses_nothing(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker()
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, under_way)
    for _ in range(3):
        system.servers.postgres.kill()
        system.servers.postgres.restart()
        time.sleep(0.3)
    recovers(goes_on(system, job_id), bound=LEASE + SLACK)
    with system.client() as api:
        wait_for(lambda: api.job(job_id), lambda job: job.is_terminal)
    assert_every_image_answered_once(system, job_id, leaf_files)


def test_postgres_away_for_longer_than_a_lease_loses_nothing(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker()
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, under_way)
    system.servers.postgres.kill()
    with urllib3.PoolManager(retries=False) as http:
        answer = http.request("GET", f"{system.url}/v1/jobs/{job_id}", headers={"X-API-Key": system.api_key})
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    time.sleep(LEASE + 3)
    system.servers.postgres.restart()
    recovers(goes_on(system, job_id), bound=LEASE + SLACK)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files)


def test_an_object_store_that_is_away_fails_no_image_and_costs_no_attempt(
    quiet: System, leaf_files: list[Path]
) -> None:
    system = quiet
    job_id = system.submit(leaf_files[:128])
    system.servers.objects.kill()
    system.start_worker(**LONG_LEASE)
    time.sleep(3)
    assert system.job(job_id).counts.failed == 0
    system.servers.objects.restart()
    recovers(goes_on(system, job_id), bound=SLACK)
    system.wait_for_end(job_id)
    assert_every_image_answered_once(system, job_id, leaf_files[:128])
    assert set(attempts(system, job_id)) == {1}


def test_an_object_that_vanishes_after_validation_is_one_failed_image(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    worker = system.start_worker()
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, under_way)
    worker.stop()
    with system.sql() as sql:
        seq, key = sql.execute(
            "SELECT i.seq, i.object_key FROM images i LEFT JOIN results r USING (job_id, seq) "
            "WHERE i.job_id = %s AND r.seq IS NULL ORDER BY i.seq DESC LIMIT 1",
            [job_id],
        ).fetchone() or (0, "")
    with closing(system.servers.objects.client()) as s3:
        s3.delete_object(Bucket="phytobatch", Key=key)
    system.start_worker()
    assert system.wait_for_end(job_id).state == "completed_with_errors"
    (bad,) = [result for result in system.results(job_id) if result.status != "succeeded"]
    assert (bad.seq, bad.status, bad.error_code) == (seq, "failed", "object_missing")


def test_a_cancel_in_mid_job_ends_when_no_worker_works_on_it_and_keeps_what_is_done(
    quiet: System, leaf_files: list[Path]
) -> None:
    system = quiet
    system.start_worker()
    job_id = system.submit(leaf_files)
    system.wait_until(job_id, lambda job: under_way(job) and running_chunks(system) > 0)
    with system.client() as api:
        assert api.cancel(job_id).state in {"canceling", "canceled"}
    recovers(lambda: system.job(job_id).is_terminal, bound=SLACK)
    job = system.job(job_id)
    assert job.state == "canceled"
    assert running_chunks(system) == 0
    assert job.counts.succeeded >= 16
    assert job.counts.succeeded + job.counts.canceled == len(leaf_files)
    assert len(system.results(job_id)) == len(leaf_files)
