"""How many chunks of a tenant run at a time, and what the limit never holds back."""

import uuid
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.contracts.states import ChunkKind, JobState, Priority
from shared.db.models import Tenant
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.jobs.sweep import CrashPolicy, sweep
from shared.jobs.turns import CLAIM
from tests.integration.jobs.factory import Jobs

MORE_CHUNKS = text(
    "INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, state) "
    "SELECT job_id, n, tenant_id, kind, pool, priority, 'ready' FROM chunks, generate_series(2, :last) AS n "
    "WHERE job_id = :job AND kind = 'classify'"
)
POLICY = CrashPolicy(isolate_after=2, fail_after=5)


@pytest.fixture
def limited(jobs: Jobs, database: Database) -> uuid.UUID:
    """A tenant of which two chunks run at a time."""
    tenant = jobs.tenant()
    with database.begin() as session:
        session.get_one(Tenant, tenant).max_running_chunks = 2
    return tenant


def count_running(database: Database, tenant: uuid.UUID) -> int:
    with database.begin() as session:
        return int(
            session.execute(
                text("SELECT count(*) FROM chunks WHERE state = 'running' AND tenant_id = :tenant"), {"tenant": tenant}
            ).scalar_one()
        )


def test_a_tenant_at_its_limit_gets_no_further_chunk_until_one_ends(jobs: Jobs, limited: uuid.UUID) -> None:
    jobs.queued(images=4, chunk_images=1, tenant=limited)
    first, _ = jobs.claim(), jobs.claim()
    assert jobs.try_claim() is None
    jobs.finish(first)
    assert jobs.claim().tenant_id == limited


def test_the_limit_of_one_is_room_for_the_others(jobs: Jobs, limited: uuid.UUID) -> None:
    jobs.queued(images=6, chunk_images=1, tenant=limited)
    other = jobs.tenant()
    jobs.queued(images=6, chunk_images=1, tenant=other)
    assert Counter(jobs.claim().tenant_id for _ in range(8)) == {limited: 2, other: 6}
    assert jobs.try_claim() is None


@pytest.mark.parametrize("setting", [1, 3])
def test_the_setting_holds_for_tenants_without_a_limit_of_their_own(
    jobs: Jobs, database: Database, setting: int
) -> None:
    jobs.queued(images=6, chunk_images=1)
    offers = [Offer(jobs.pool, Priority.BULK)]
    taken = 0
    with database.begin() as session:
        while claims.claim(session, offers, worker="test", lease_seconds=60, max_running=setting):
            taken += 1
    assert taken == setting


def test_a_tenant_whose_limit_is_0_has_none_whatever_the_setting_says(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    with database.begin() as session:
        session.get_one(Tenant, tenant).max_running_chunks = 0
    jobs.queued(images=4, chunk_images=1, tenant=tenant)
    with database.begin() as session:
        offers = [Offer(jobs.pool, Priority.BULK)]
        for _ in range(4):
            assert claims.claim(session, offers, worker="test", lease_seconds=60, max_running=1)


def test_whoever_waits_for_one_image_is_not_held_back(jobs: Jobs, limited: uuid.UUID) -> None:
    jobs.queued(images=4, chunk_images=1, tenant=limited)
    jobs.claim(), jobs.claim()
    urgent = jobs.queued(images=1, priority=Priority.INTERACTIVE, tenant=limited)
    assert jobs.claim().job_id == urgent


def test_validation_and_removal_are_not_held_back(jobs: Jobs, limited: uuid.UUID) -> None:
    jobs.queued(images=4, chunk_images=1, tenant=limited)
    jobs.claim(), jobs.claim()
    jobs.committed(tenant=limited)
    assert jobs.claim_kind(ChunkKind.VALIDATE).tenant_id == limited
    assert jobs.try_claim() is None


def test_a_dead_worker_blocks_nothing_once_its_leases_ran_out(
    jobs: Jobs, database: Database, limited: uuid.UUID
) -> None:
    job_id = jobs.queued(images=4, chunk_images=1, tenant=limited)
    jobs.claim(lease_seconds=-1), jobs.claim(lease_seconds=-1)
    third, fourth = jobs.claim(), jobs.claim()
    assert jobs.try_claim() is None, "two leases that hold are the limit"
    sweep(database, POLICY)
    for held in (third, fourth):
        jobs.finish(held)
    for _ in range(2):
        held = jobs.claim()
        assert held.attempt == 2
        jobs.finish(held)
    assert jobs.get(job_id).state == JobState.COMPLETED


def test_many_workers_at_once_never_pass_the_limit(
    jobs: Jobs, database: Database, limited: uuid.UUID, at_once: Callable[..., list[object]]
) -> None:
    jobs.queued(images=60, chunk_images=1, tenant=limited)
    other = jobs.tenant()
    jobs.queued(images=60, chunk_images=1, tenant=other)
    for _ in range(5):
        taken = [one for one in at_once(*[jobs.try_claim for _ in range(8)]) if isinstance(one, Claim)]
        # Mostly two. A chunk that came too late for the last place is left to the next claim.
        assert 1 <= count_running(database, limited) <= 2
        assert len(taken) == 8, "the places that the limit leaves go to the other tenant"
        for held in taken:
            jobs.finish(held)


def test_a_chunk_that_came_too_late_for_the_last_place_has_lost_no_attempt(
    jobs: Jobs, database: Database, limited: uuid.UUID, at_once: Callable[..., list[object]]
) -> None:
    jobs.queued(images=30, chunk_images=1, tenant=limited)
    at_once(*[jobs.try_claim for _ in range(8)])
    with database.begin() as session:
        attempts = session.execute(
            text("SELECT state, max(attempt), count(*) FROM chunks WHERE kind = 'classify' GROUP BY state")
        ).all()
    assert {tuple(row) for row in attempts} == {("running", 1, 2), ("ready", 0, 28)}


@pytest.mark.plans
def test_a_claim_among_a_hundred_thousand_ready_chunks_reads_a_few_pages(
    jobs: Jobs, database: Database, limited: uuid.UUID
) -> None:
    for tenant in (limited, jobs.tenant()):
        job_id = jobs.queued(images=1, tenant=tenant)
        with database.begin() as session:
            session.execute(MORE_CHUNKS, {"job": job_id, "last": 50_000})
    jobs.claim(), jobs.claim(), jobs.claim()
    with database.begin() as session:
        session.execute(text("ANALYZE chunks"))
        plan = session.execute(
            text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {CLAIM.text}"),
            claims.claim_parameters(Offer(jobs.pool, Priority.BULK), worker="test", lease_seconds=60),
        ).scalar_one()
    top = plan[0]["Plan"]
    assert not [node for node in nodes(top) if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "chunks"]
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 200


def nodes(plan: dict[str, object]) -> list[dict[str, object]]:
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    return [plan, *(node for one in below for node in nodes(one))]
