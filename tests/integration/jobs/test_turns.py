"""Whose turn it is, where many tenants wait: every road to a chunk leads to the one that plain comparing finds."""

import random
import uuid
from collections import Counter

from sqlalchemy import text

from shared.contracts.states import ChunkKind, Priority
from shared.db.models import Tenant
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.jobs.turns import FEW
from tests.integration.jobs.factory import Jobs

READY = text("SELECT tenant_id, min(job_id::text) AS oldest FROM chunks WHERE state = 'ready' GROUP BY tenant_id")
RUNNING = text("SELECT tenant_id, count(*) FROM chunks WHERE state = 'running' GROUP BY tenant_id")


def fairest(database: Database) -> uuid.UUID:
    """The tenant with the fewest running chunks for its weight, then the one with the oldest job."""
    with database.begin() as session:
        weights = {tenant.id: tenant.weight for tenant in session.query(Tenant)}
        running = {row[0]: row[1] for row in session.execute(RUNNING)}
        waiting: dict[uuid.UUID, str] = {row.tenant_id: row.oldest for row in session.execute(READY)}
    return min(waiting, key=lambda tenant: (running.get(tenant, 0) / weights[tenant], waiting[tenant]))


def take(database: Database, jobs: Jobs) -> Claim | None:
    with database.begin() as session:
        return claims.claim(session, [Offer(jobs.pool, Priority.BULK)], worker="test", lease_seconds=60)


def test_among_many_tenants_the_fairest_gets_the_next_chunk(jobs: Jobs, database: Database) -> None:
    chance = random.Random(1)  # noqa: S311  # a test
    tenants = [jobs.tenant(weight=chance.randint(1, 3)) for _ in range(FEW + 8)]
    for _ in range(2):
        for tenant in chance.sample(tenants, len(tenants)):
            jobs.queued(images=chance.randint(1, 4), chunk_images=1, tenant=tenant)
    held: list[Claim] = []
    for _ in range(4 * len(tenants)):
        expected = fairest(database)
        got = take(database, jobs)
        assert got is not None
        assert got.tenant_id == expected
        held.append(got)
        if len(held) > len(tenants) and chance.random() < 0.6:  # now and then all have something
            jobs.finish(held.pop(chance.randrange(len(held))))
    assert len(Counter(one.tenant_id for one in held)) > FEW


def test_a_paused_chunk_of_the_oldest_job_holds_nobody_up(jobs: Jobs, database: Database) -> None:
    tenants = [jobs.tenant() for _ in range(FEW + 2)]
    made = [jobs.queued(images=1, tenant=tenant) for tenant in tenants]
    first = take(database, jobs)
    assert first is not None
    assert first.job_id == made[0]
    with database.begin() as session:
        claims.release(session, first, pause_seconds=60)
    taken = [one.job_id for one in iter(lambda: take(database, jobs), None)]
    assert taken == made[1:]


def test_tenants_at_their_limit_are_passed_by_among_many(jobs: Jobs, database: Database) -> None:
    tenants = [jobs.tenant() for _ in range(FEW + 2)]
    with database.begin() as session:
        session.execute(text("UPDATE tenants SET max_running_chunks = 1"))
    for tenant in tenants:
        jobs.queued(images=3, chunk_images=1, tenant=tenant)
    taken = Counter(one.tenant_id for one in iter(lambda: take(database, jobs), None))
    assert taken == Counter(tenants)


def test_exports_and_images_do_not_count_in_the_turns_of_the_other(jobs: Jobs, database: Database) -> None:
    busy, idle, heavy = jobs.tenant(), jobs.tenant(), jobs.tenant(weight=4)
    made = {tenant: jobs.queued(images=4, chunk_images=1, tenant=tenant) for tenant in (busy, idle, heavy)}
    for _ in range(2):
        for tenant in (busy, idle, heavy):
            jobs.export(made[tenant])
    assert (images := take(database, jobs)) is not None
    assert images.tenant_id == busy, "it has the oldest job"
    taken = [jobs.claim_kind(ChunkKind.EXPORT).tenant_id for _ in range(6)]
    # One image of `busy` runs and holds up none of its exports; the second of `heavy` costs a quarter of a turn.
    assert taken == [busy, idle, heavy, heavy, busy, idle]
    assert (images := take(database, jobs)) is not None
    assert images.tenant_id == idle, "two exports run for each, and images only for `busy`"
    assert jobs.try_claim(pool=ChunkKind.EXPORT) is None
