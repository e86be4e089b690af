"""Claims, leases and fencing tokens on a real PostgreSQL."""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.contracts.states import ChunkKind, ImageStatus, JobState, Priority
from shared.db.session import Database
from shared.errors import LeaseLost
from shared.jobs import claims, lifecycle
from shared.jobs.chunks import classifier_pool_of, isolated_pool_of
from shared.jobs.claims import Claim
from shared.jobs.sweep import CrashPolicy, sweep
from tests.integration.jobs.factory import Jobs, answers

POLICY = CrashPolicy(isolate_after=2, fail_after=5)


def expire(database: Database, held: Claim) -> None:
    """Let the lease of a chunk run out."""
    with database.begin() as session:
        session.execute(
            text("UPDATE chunks SET lease_until = now() - interval '1 second' WHERE job_id = :job AND no = :no"),
            {"job": held.job_id, "no": held.no},
        )


def test_a_chunk_is_claimed_by_one_worker_however_many_ask_at_once(
    jobs: Jobs, at_once: Callable[..., list[object]]
) -> None:
    jobs.queued(images=5, chunk_images=1)
    taken = at_once(*[jobs.try_claim for _ in range(8)])
    numbers = [one.no for one in taken if isinstance(one, Claim)]
    assert sorted(numbers) == [1, 2, 3, 4, 5]
    assert taken.count(None) == 3


def test_the_attempt_is_counted_at_the_claim(jobs: Jobs) -> None:
    jobs.queued()
    assert jobs.claim().attempt == 1


def test_the_first_claim_makes_a_job_running(jobs: Jobs) -> None:
    job_id = jobs.queued()
    assert jobs.get(job_id).state == JobState.QUEUED
    jobs.claim()
    assert jobs.get(job_id).state == JobState.RUNNING


def test_interactive_work_is_claimed_before_bulk_work_that_came_earlier(jobs: Jobs) -> None:
    jobs.queued(priority=Priority.BULK)
    urgent = jobs.queued(priority=Priority.INTERACTIVE)
    first, second, third = (jobs.claim() for _ in range(3))
    assert [first.job_id, second.job_id] == [urgent, urgent]
    assert [first.urgent, second.urgent, third.urgent] == [True, True, False]


def test_a_small_job_is_not_starved_by_a_large_one_of_another_tenant(jobs: Jobs) -> None:
    large = jobs.queued(images=100, chunk_images=1)
    small = jobs.queued(images=2, chunk_images=1)
    order = [jobs.claim().job_id for _ in range(4)]
    assert Counter(order) == {large: 2, small: 2}


def test_a_tenant_of_double_weight_gets_double_the_running_chunks(jobs: Jobs) -> None:
    heavy, light = jobs.tenant(weight=2), jobs.tenant(weight=1)
    jobs.queued(images=50, chunk_images=1, tenant=light)
    jobs.queued(images=50, chunk_images=1, tenant=heavy)
    running = Counter(jobs.claim().tenant_id for _ in range(9))
    assert running == {heavy: 6, light: 3}


def test_within_a_tenant_the_oldest_job_comes_first(jobs: Jobs) -> None:
    tenant = jobs.tenant()
    first = jobs.queued(tenant=tenant)
    jobs.queued(tenant=tenant)
    assert [jobs.claim().job_id for _ in range(2)] == [first, first]


def test_a_worker_gets_only_what_it_serves(jobs: Jobs) -> None:
    jobs.queued()
    assert jobs.try_claim(pool="classify:another") is None


def test_a_chunk_that_may_not_run_yet_is_not_claimed(jobs: Jobs, database: Database) -> None:
    jobs.queued(images=1)
    held = jobs.claim()
    with database.begin() as session:
        claims.release(session, held, pause_seconds=60)
    assert jobs.try_claim() is None


def test_the_last_chunk_ends_the_job_with_one_event(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=4, chunk_images=2)
    first, second = jobs.claim(), jobs.claim()
    jobs.finish(first)
    assert jobs.get(job_id).state == JobState.RUNNING
    jobs.finish(second)
    job = jobs.get(job_id)
    assert job.state == JobState.COMPLETED
    assert job.finished_at is not None
    with database.begin() as session:
        events = session.scalars(text("SELECT type FROM events WHERE job_id = :id ORDER BY id"), {"id": job_id}).all()
    assert list(events) == ["job.validated", "job.started", "job.completed"]


def test_two_workers_that_end_the_last_two_chunks_at_once_end_the_job_once(
    jobs: Jobs, database: Database, at_once: Callable[..., list[object]]
) -> None:
    for _ in range(5):
        job_id = jobs.queued(images=2, chunk_images=1)
        first, second = jobs.claim(), jobs.claim()
        assert at_once(lambda a=first: jobs.finish(a), lambda b=second: jobs.finish(b)) == [None, None]
        with database.begin() as session:
            ended = session.execute(
                text("SELECT count(*) FROM events WHERE job_id = :id AND type = 'job.completed'"), {"id": job_id}
            ).scalar_one()
        assert (jobs.get(job_id).state, ended) == (JobState.COMPLETED, 1)


def test_finishing_twice_under_the_same_token_stores_once(jobs: Jobs) -> None:
    """The connection broke in the commit, and the worker runs the transaction again."""
    job_id = jobs.queued(images=2)
    held = jobs.claim()
    jobs.finish(held)
    jobs.finish(held)
    assert jobs.counts(job_id) == {"total": 2, "pending": 0, "succeeded": 2, "failed": 0, "rejected": 0, "canceled": 0}


def test_a_worker_that_was_paused_past_its_lease_writes_nothing(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2)
    paused = jobs.claim()
    expire(database, paused)
    sweep(database, POLICY)
    other = jobs.claim()
    assert (other.attempt, other.token > paused.token) == (2, True)
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.finish(session, paused, answers(paused, label="healthy"))
    assert jobs.counts(job_id)["pending"] == 2
    jobs.finish(other)
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.finish(session, paused, answers(paused, label="healthy"))
    with database.begin() as session:
        labels = session.scalars(text("SELECT DISTINCT label FROM results WHERE job_id = :id"), {"id": job_id}).all()
    assert labels == ["rust"]


def test_a_renewed_lease_is_not_taken_back(jobs: Jobs, database: Database) -> None:
    jobs.queued()
    held = jobs.claim()
    expire(database, held)
    with database.begin() as session:
        assert claims.renew(session, held, lease_seconds=60) == JobState.RUNNING
    assert sweep(database, POLICY).leases == 0


def test_a_lost_lease_cannot_be_renewed_or_looked_at(jobs: Jobs, database: Database) -> None:
    jobs.queued()
    held = jobs.claim()
    expire(database, held)
    sweep(database, POLICY)
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.renew(session, held, lease_seconds=60)
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.read_state(session, held)


def test_a_chunk_that_is_handed_back_keeps_what_was_finished_and_gets_its_attempt_back(
    jobs: Jobs, database: Database
) -> None:
    job_id = jobs.queued(images=4, chunk_images=4)
    held = jobs.claim()
    with database.begin() as session:
        claims.release(session, held, answers(held)[:1])
    assert jobs.counts(job_id)["succeeded"] == 1
    again = jobs.claim()
    assert again.attempt == 1
    with database.begin() as session:
        claims.finish(session, again, answers(again)[1:])
    assert jobs.counts(job_id)["succeeded"] == 4
    assert jobs.get(job_id).state == JobState.COMPLETED


def test_the_first_terminal_result_of_an_image_wins(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=1)
    held = jobs.claim()
    with database.begin() as session:
        claims.release(session, held, answers(held, label="healthy"))
    again = jobs.claim()
    jobs.finish(again)
    with database.begin() as session:
        label = session.execute(text("SELECT label FROM results WHERE job_id = :id"), {"id": job_id}).scalar_one()
    assert (label, jobs.counts(job_id)["succeeded"]) == ("healthy", 1)


def test_a_chunk_that_killed_its_worker_twice_is_split_into_isolated_images(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=3, chunk_images=3)
    for _ in range(2):
        expire(database, jobs.claim())
        assert sweep(database, POLICY).leases == 1
    singles = [jobs.claim() for _ in range(3)]
    assert [(one.first_seq, one.last_seq, one.isolated) for one in singles] == [
        (1, 1, True),
        (2, 2, True),
        (3, 3, True),
    ]
    for one in singles:
        jobs.finish(one)
    assert jobs.get(job_id).state == JobState.COMPLETED


def test_a_single_image_that_goes_on_killing_its_worker_fails_and_the_others_succeed(
    jobs: Jobs, database: Database
) -> None:
    job_id = jobs.queued(images=2, chunk_images=2)
    crashes = 0
    while (held := jobs.try_claim()) is not None:
        if held.first_seq == 1:  # the poisoned image, alone or with its neighbour
            crashes += 1
            expire(database, held)
            sweep(database, POLICY)
        else:
            jobs.finish(held)
    assert crashes == POLICY.fail_after
    assert jobs.get(job_id).state == JobState.COMPLETED_WITH_ERRORS
    with database.begin() as session:
        row = session.execute(text("SELECT seq, error_code FROM results WHERE status = 'failed'")).one()
    assert tuple(row) == (1, "worker_crashed")


def test_a_validation_that_is_lost_too_often_fails_the_job_with_a_reason(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed()
    for _ in range(POLICY.fail_after):
        expire(database, jobs.claim_kind(ChunkKind.VALIDATE))
        sweep(database, POLICY)
    job = jobs.get(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "validation_failed")
    assert jobs.try_claim(pool=ChunkKind.VALIDATE) is None


def test_results_are_numbered_in_the_order_in_which_they_become_visible(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=4, chunk_images=2)
    first, second = jobs.claim(), jobs.claim()
    jobs.finish(second)
    jobs.finish(first)
    with database.begin() as session:
        order = session.scalars(
            text("SELECT seq FROM results WHERE job_id = :id ORDER BY position"), {"id": job_id}
        ).all()
    assert list(order) == [3, 4, 1, 2]


def test_a_job_without_open_chunks_that_nobody_ended_is_ended_by_the_sweep(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=1)
    held = jobs.claim()
    with database.begin() as session:
        claims.release(session, held, answers(held))
        session.execute(text("UPDATE chunks SET state = 'done' WHERE job_id = :id"), {"id": job_id})
        session.execute(text("UPDATE jobs SET open_chunks = 0 WHERE id = :id"), {"id": job_id})
    assert sweep(database, POLICY).jobs == 1
    assert jobs.get(job_id).state == JobState.COMPLETED


def test_counts_add_up_in_a_job_of_every_kind_of_end(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=3, chunk_images=1)
    jobs.finish(jobs.claim())
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    with database.begin() as session:
        assert lifecycle.cancel(session, job_id).state == JobState.CANCELED
    assert jobs.counts(job_id) == {"total": 3, "pending": 0, "succeeded": 1, "failed": 1, "rejected": 0, "canceled": 1}


def isolated(jobs: Jobs) -> Claim | None:
    return jobs.try_claim(pool=isolated_pool_of(jobs.pool))


def test_a_chunk_that_is_set_aside_keeps_what_is_finished_and_waits_for_another_slot(
    jobs: Jobs, database: Database
) -> None:
    job_id = jobs.queued(images=3, chunk_images=3)
    held = jobs.claim()
    with database.begin() as session:
        claims.set_aside(session, held, answers(held)[:2])
    assert jobs.try_claim() is None
    again = isolated(jobs)
    assert again is not None
    assert (again.no, again.isolated, again.attempt) == (held.no, True, 1)
    assert classifier_pool_of(again.pool) == jobs.pool
    assert jobs.counts(job_id)["succeeded"] == 2
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.set_aside(session, held, [])
    jobs.finish(again)
    assert jobs.get(job_id).state == JobState.COMPLETED


def test_a_chunk_that_was_set_aside_and_kills_its_worker_is_split_all_the_same(jobs: Jobs, database: Database) -> None:
    jobs.queued(images=2, chunk_images=2)
    with database.begin() as session:
        claims.set_aside(session, jobs.claim(), [])
    for _ in range(2):
        lost = isolated(jobs)
        assert lost is not None
        expire(database, lost)
        sweep(database, POLICY)
    singles = [isolated(jobs), isolated(jobs)]
    assert [one and (one.first_seq, one.last_seq, one.isolated) for one in singles] == [(1, 1, True), (2, 2, True)]


def test_whoever_yields_its_turn_lets_other_tenants_by(jobs: Jobs, database: Database) -> None:
    greedy = jobs.queued(images=4, chunk_images=2)
    with database.begin() as session:
        for one in (jobs.claim(), jobs.claim()):
            claims.set_aside(session, one, [])
    held = isolated(jobs)
    assert held is not None
    with database.begin() as session:
        assert not claims.others_wait(session, held)
    modest = jobs.queued(images=1)
    with database.begin() as session:
        claims.set_aside(session, jobs.claim(), [])
    with database.begin() as session:
        assert claims.others_wait(session, held)
        claims.yield_turn(session, held, answers(held)[:1], pause_seconds=60)
    after = isolated(jobs)
    assert after is not None
    assert after.job_id == modest
    assert isolated(jobs) is None, "both chunks of the other tenant pause"
    assert jobs.counts(greedy)["succeeded"] == 1
