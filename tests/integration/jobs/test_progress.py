"""How fast a job goes by its own measure, and where it stands in the queue."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from shared.contracts.states import ImageStatus, Priority
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs.progress import Progress, progress_of
from shared.jobs.queries import get_job, read_jobs, standings
from tests.integration.jobs.factory import Jobs, sizes


def seen(database: Database, jobs: Jobs, job_id: uuid.UUID, *, after: float = 0) -> Progress:
    """The progress as it would be seen so many seconds from now."""
    with database.begin() as session:
        row = get_job(session, jobs.get(job_id).tenant_id, job_id)
    assert isinstance(row.read_at, datetime)
    return progress_of(row.job, row.read_at + timedelta(seconds=after))


def pass_time(database: Database, job_id: uuid.UUID, seconds: float) -> None:
    """Everything that the job remembers was so many seconds earlier."""
    moments = ("started_at", "mark_at", "older_mark_at", "last_result_at")
    moved = ", ".join(f"{moment} = {moment} - make_interval(secs => :s)" for moment in moments)
    with database.begin() as session:
        session.execute(text(f"UPDATE jobs SET {moved} WHERE id = :id"), {"s": seconds, "id": job_id})  # noqa: S608  # from here


def test_before_the_first_result_there_is_no_speed(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=4, chunk_images=1)
    jobs.claim()
    assert seen(database, jobs, job_id) == Progress(0.0, None, None)


def test_the_speed_is_that_of_the_last_minute_and_tells_the_end(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=32, chunk_images=8)
    held = jobs.claim()
    pass_time(database, job_id, 20)
    jobs.finish(held)
    now = seen(database, jobs, job_id)
    assert now.percent == 25.0
    assert now.images_per_second == pytest.approx(0.4, rel=0.05)
    assert now.estimated_end is not None
    with database.begin() as session:
        left = now.estimated_end - session.execute(text("SELECT now()")).scalar_one()
    assert left.total_seconds() == pytest.approx(60, rel=0.1)
    pass_time(database, job_id, 100)
    held = jobs.claim()
    jobs.finish(held)
    pass_time(database, job_id, 5)
    jobs.finish(jobs.claim())
    faster = seen(database, jobs, job_id).images_per_second
    assert faster is not None
    assert 0 < faster < 2.1


def test_a_silence_lowers_the_speed(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=32, chunk_images=8)
    held = jobs.claim()
    pass_time(database, job_id, 20)
    jobs.finish(held)
    speeds = [seen(database, jobs, job_id, after=s).images_per_second or 0 for s in (0, 15, 100, 1000)]
    assert speeds[0] == speeds[1]
    assert speeds[1] > speeds[2] > speeds[3] > 0


def test_when_it_is_over_the_speed_is_that_of_the_run(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2, chunk_images=1)
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    pass_time(database, job_id, 100)
    jobs.finish(jobs.claim())
    ended = seen(database, jobs, job_id)
    assert (ended.percent, ended.estimated_end) == (100.0, None)
    assert ended.images_per_second == pytest.approx(0.02, rel=0.05)
    with database.begin() as session:
        lifecycle.retry(session, job_id, sizes=sizes(2))
    assert seen(database, jobs, job_id).percent == 50.0
    held = jobs.claim()
    pass_time(database, job_id, 10)
    jobs.finish(held)
    assert seen(database, jobs, job_id).images_per_second == pytest.approx(0.1, rel=0.05), "one image in ten seconds"


def position(database: Database, jobs: Jobs, job_id: uuid.UUID) -> int | None:
    with database.begin() as session:
        return get_job(session, jobs.get(job_id).tenant_id, job_id).queue_position


def test_the_queue_is_that_of_the_tenant_and_interactive_jobs_come_first(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    jobs.queued(images=1)  # another tenant's
    first, second, third = (jobs.queued(images=1, tenant=tenant) for _ in range(3))
    assert [position(database, jobs, job) for job in (first, second, third)] == [1, 2, 3]
    urgent = jobs.queued(images=1, tenant=tenant, priority=Priority.INTERACTIVE)
    assert [position(database, jobs, job) for job in (urgent, first, third)] == [1, 2, 4]
    jobs.finish(jobs.claim())
    assert position(database, jobs, urgent) is None
    assert position(database, jobs, first) == 1
    assert position(database, jobs, jobs.draft(tenant=tenant)) is None


def test_the_short_look_at_many_jobs_and_the_long_one_agree(jobs: Jobs) -> None:
    tenants = [jobs.tenant(), jobs.tenant()]
    urgent = [jobs.queued(tenant=tenant, priority=Priority.INTERACTIVE) for tenant in tenants]
    running = jobs.queued(tenant=tenants[0])
    waiting = [jobs.queued(tenant=tenant) for tenant in tenants for _ in range(2)]
    draft = jobs.draft(tenant=tenants[1])
    for job_id in (*urgent, running):
        with jobs.database.begin() as session:
            lifecycle.start(session, job_id)
    late = jobs.queued(tenant=tenants[1], priority=Priority.INTERACTIVE)
    every = [*urgent, running, *waiting, draft, late]
    with jobs.database.begin() as session:
        short = {one.job_id: (one.revision, one.queue_position) for one in standings(session, every)}
        long = {row.job.id: (row.job.revision, row.queue_position) for row in read_jobs(session, every)}
    assert short == long
    assert [short[job_id][1] for job_id in (*waiting, draft, late)] == [3, 4, 3, 4, None, 2]
