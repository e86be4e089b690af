"""What operators hold back: nobody claims it, and afterwards it goes on as if nothing had been."""

import uuid

import pytest

from shared.contracts.states import ChunkKind, Priority
from shared.db.models import Classifier
from shared.db.session import Database
from shared.jobs import claims, lifecycle, pauses, queries
from shared.jobs.chunks import isolated_pool_of
from shared.jobs.claims import Claim, Offer
from shared.jobs.pauses import EVERYTHING_THERE_IS, Subject
from shared.jobs.turns import FEW
from tests.integration.jobs.factory import Jobs

WORKER = "field-7:31"


def pause(database: Database, subject: Subject) -> None:
    with database.begin() as session:
        assert pauses.pause(session, subject, actor="mia@host")


def resume(database: Database, subject: Subject) -> None:
    with database.begin() as session:
        assert pauses.resume(session, subject)


def take(database: Database, jobs: Jobs, pool: str | None = None, worker: str = WORKER) -> Claim | None:
    offers = [Offer(pool or jobs.pool, priority) for priority in Priority]
    with database.begin() as session:
        return claims.claim(session, offers, worker=worker, lease_seconds=60)


@pytest.mark.parametrize("tenants", [2, FEW + 3])
def test_of_a_paused_tenant_no_chunk_is_claimed_and_those_of_others_are(
    jobs: Jobs, database: Database, tenants: int
) -> None:
    """On every road of the claim: where few tenants wait, and where many do and the oldest job is a paused one."""
    owners = [jobs.tenant() for _ in range(tenants)]
    for owner in owners:
        jobs.queued(images=2, chunk_images=1, tenant=owner)
    pause(database, Subject(tenant_id=owners[0]))
    taken = [take(database, jobs) for _ in range(2 * tenants - 2)]
    assert {one.tenant_id for one in taken if one} == set(owners[1:])
    assert None not in taken
    assert take(database, jobs) is None
    resume(database, Subject(tenant_id=owners[0]))
    again = take(database, jobs)
    assert again is not None
    assert (again.tenant_id, again.attempt) == (owners[0], 1)


def test_validation_of_a_paused_tenant_waits_too_and_its_removals_do_not(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    jobs.committed(tenant=tenant)
    pause(database, Subject(tenant_id=tenant))
    assert take(database, jobs, ChunkKind.VALIDATE) is None
    deleted = jobs.draft(tenant=tenant)
    with database.begin() as session:
        lifecycle.delete(session, deleted)
    removal = take(database, jobs, ChunkKind.PURGE)
    assert removal is not None
    assert removal.job_id == deleted


def test_a_paused_classifier_holds_back_both_of_its_pools_and_no_validation(
    jobs: Jobs, database: Database, classifier: Classifier
) -> None:
    job_id = jobs.queued()
    jobs.committed()
    pause(database, Subject(classifier_id=classifier.id))
    assert take(database, jobs) is None
    assert take(database, jobs, ChunkKind.VALIDATE) is not None
    resume(database, Subject(classifier_id=classifier.id))
    held = take(database, jobs)
    assert held is not None
    with database.begin() as session:
        claims.set_aside(session, held, [])
    pause(database, Subject(classifier_id=classifier.id))
    assert take(database, jobs, isolated_pool_of(jobs.pool)) is None
    resume(database, Subject(classifier_id=classifier.id))
    aside = take(database, jobs, isolated_pool_of(jobs.pool))
    assert aside is not None
    assert aside.job_id == job_id


@pytest.mark.parametrize("name", [WORKER, "field-7"])
def test_a_drained_worker_ends_what_it_has_and_takes_nothing_more(jobs: Jobs, database: Database, name: str) -> None:
    jobs.queued(images=3, chunk_images=1)
    held = take(database, jobs)
    assert held is not None
    pause(database, Subject(worker=name))
    jobs.finish(held)
    assert take(database, jobs) is None
    assert take(database, jobs, worker="field-8:31") is not None
    resume(database, Subject(worker=name))
    assert take(database, jobs) is not None


def test_while_everything_is_paused_nobody_takes_anything_but_an_operator(jobs: Jobs, database: Database) -> None:
    jobs.queued()
    jobs.committed()
    pause(database, EVERYTHING_THERE_IS)
    assert take(database, jobs) is None
    assert take(database, jobs, ChunkKind.VALIDATE) is None
    with database.begin() as session:
        offers = [Offer(ChunkKind.VALIDATE, Priority.BULK)]
        assert claims.claim(session, offers, worker="admin", lease_seconds=60, heeds_pauses=False) is not None
    resume(database, EVERYTHING_THERE_IS)
    assert take(database, jobs) is not None


def test_exports_of_what_is_paused_wait(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    job_id = jobs.queued(tenant=tenant)
    jobs.export(job_id)

    def claimed() -> bool:
        with database.begin() as session:
            offers = [Offer(ChunkKind.EXPORT, Priority.BULK)]
            found = claims.claim(session, offers, worker=WORKER, lease_seconds=60) is not None
            session.rollback()
            return found

    assert claimed()
    for subject in (Subject(tenant_id=tenant), Subject(worker="field-7"), EVERYTHING_THERE_IS):
        pause(database, subject)
        assert not claimed(), subject
        resume(database, subject)
    pause(database, Subject(tenant_id=jobs.tenant()))
    assert claimed()


def test_a_job_says_that_it_is_paused_as_long_as_it_is(jobs: Jobs, database: Database, classifier: Classifier) -> None:
    job_id = jobs.queued()
    over = jobs.queued(images=1, tenant=jobs.get(job_id).tenant_id)

    def paused(which: uuid.UUID) -> set[bool]:
        with database.begin() as session:
            (seen,) = queries.read_jobs(session, [which])
            (standing,) = queries.standings(session, [which])
            return {seen.paused, standing.paused}

    with database.begin() as session:
        lifecycle.cancel(session, over)
    assert paused(job_id) == {False}
    others = (Subject(worker=WORKER), Subject(tenant_id=jobs.tenant()))
    own = (EVERYTHING_THERE_IS, Subject(tenant_id=jobs.get(job_id).tenant_id), Subject(classifier_id=classifier.id))
    for subject in others:
        pause(database, subject)
        assert paused(job_id) == {False}, subject
    for subject in own:
        pause(database, subject)
        assert paused(job_id) == {True}, subject
        assert paused(over) == {False}, "what is over waits for nothing"
        resume(database, subject)
    assert paused(job_id) == {False}


def test_to_pause_twice_changes_nothing(jobs: Jobs, database: Database) -> None:
    for subject in (EVERYTHING_THERE_IS, Subject(tenant_id=jobs.tenant()), Subject(worker=WORKER)):
        with database.begin() as session:
            assert pauses.pause(session, subject, actor="mia@host", reason="new disks")
            assert not pauses.pause(session, subject, actor="ben@host")
    with database.begin() as session:
        found = pauses.pauses(session)
        assert {(one.actor, one.reason) for one in found} == {("mia@host", "new disks")}
        assert [one.scope for one in found] == ["everything", "tenant", "worker"]
        assert not pauses.resume(session, Subject(worker="another"))
