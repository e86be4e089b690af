"""A job that is over runs its failed images again."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.contracts.states import ChunkKind, EventType, ImageErrorCode, ImageStatus, JobState
from shared.db.models import Job
from shared.db.session import Database
from shared.errors import Conflict
from shared.jobs import claims, lifecycle
from shared.jobs.results import NewResult, ResultFilter, StoredResult, read_results
from tests.integration.jobs.factory import Jobs, answers, sizes


def retry(database: Database, job_id: uuid.UUID, *, chunk_images: int = 2) -> Job:
    with database.begin() as session:
        return lifecycle.retry(session, job_id, sizes=sizes(chunk_images))


def half_failed(jobs: Jobs) -> uuid.UUID:
    """A job of which images 2, 3 and 5 of five failed."""
    job_id = jobs.queued(images=5, chunk_images=1)
    for status in "sffsf":
        jobs.finish(jobs.claim(), status=ImageStatus.FAILED if status == "f" else ImageStatus.SUCCEEDED)
    assert jobs.get(job_id).state == JobState.COMPLETED_WITH_ERRORS
    return job_id


def terminal_events(database: Database) -> list[str]:
    with database.begin() as session:
        types = session.scalars(text("SELECT type FROM events ORDER BY revision")).all()
    return [t for t in types if t not in {EventType.JOB_VALIDATED, EventType.JOB_STARTED}]


def test_only_what_failed_runs_again_and_the_answers_that_stand_are_kept(jobs: Jobs, database: Database) -> None:
    job_id = half_failed(jobs)
    before = {r.seq: (r.position, r.finished_at) for r in read(database, job_id) if r.status == "succeeded"}
    job = retry(database, job_id)
    assert (job.state, job.retries) == (JobState.QUEUED, 1)
    assert jobs.counts(job_id) == {
        "total": 5,
        "pending": 3,
        "succeeded": 2,
        "failed": 0,
        "rejected": 0,
        "canceled": 0,
    }
    run_the_rest(jobs, job_id)
    assert jobs.get(job_id).state == JobState.COMPLETED
    after = {r.seq: (r.position, r.finished_at) for r in read(database, job_id)}
    assert set(after) == {1, 2, 3, 4, 5}
    assert {seq: after[seq] for seq in before} == before
    assert terminal_events(database) == ["job.completed_with_errors", "job.retried", "job.completed"]


def read(database: Database, job_id: uuid.UUID, *, after: int = 0) -> list[StoredResult]:
    with database.begin() as session:
        return read_results(session, job_id, after=after, limit=99, only=ResultFilter())[0]


def run_the_rest(jobs: Jobs, job_id: uuid.UUID, *, status: ImageStatus = ImageStatus.SUCCEEDED) -> None:
    while jobs.get(job_id).open_chunks:
        jobs.finish(jobs.claim(), status=status)


def test_a_reader_that_goes_on_from_its_cursor_gets_just_the_new_answers(jobs: Jobs, database: Database) -> None:
    job_id = half_failed(jobs)
    cursor = jobs.get(job_id).last_position
    retry(database, job_id)
    run_the_rest(jobs, job_id)
    assert sorted(r.seq for r in read(database, job_id, after=cursor)) == [2, 3, 5]


def test_a_retry_may_fail_again_and_be_repeated(jobs: Jobs, database: Database) -> None:
    job_id = half_failed(jobs)
    for number in (1, 2):
        assert retry(database, job_id).retries == number
        run_the_rest(jobs, job_id, status=ImageStatus.FAILED)
        assert jobs.get(job_id).state == JobState.COMPLETED_WITH_ERRORS
        assert jobs.counts(job_id)["failed"] == 3
    assert terminal_events(database).count("job.completed_with_errors") == 3


def test_a_job_of_which_everything_failed_can_be_retried(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2)
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    assert jobs.get(job_id).state == JobState.FAILED
    assert retry(database, job_id).state == JobState.QUEUED
    run_the_rest(jobs, job_id)
    assert jobs.get(job_id).state == JobState.COMPLETED


def test_the_moments_of_a_job_are_those_of_its_newest_run(jobs: Jobs, database: Database) -> None:
    job_id = half_failed(jobs)
    first = jobs.get(job_id)
    job = retry(database, job_id)
    assert (job.started_at, job.finished_at) == (None, None)
    assert job.committed_at == first.committed_at
    run_the_rest(jobs, job_id)
    again = jobs.get(job_id)
    assert again.started_at > first.finished_at  # type: ignore[operator]
    assert again.finished_at > again.started_at  # type: ignore[operator]


def test_a_job_that_never_ran_is_validated_again(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed(images=2)
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with database.begin() as session:
        claims.fail_job(session, held, code="source_unreadable", detail="no such bucket")
    job = retry(database, job_id)
    assert (job.state, job.error_code, job.retries) == (JobState.VALIDATING, None, 1)
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with database.begin() as session:
        claims.finish_validation(session, held, [], sizes=sizes(2))
    run_the_rest(jobs, job_id)
    assert jobs.get(job_id).state == JobState.COMPLETED
    assert terminal_events(database) == ["job.failed", "job.retried", "job.completed"]


def test_a_job_that_is_not_over_cannot_be_retried(jobs: Jobs, database: Database) -> None:
    for job_id in (jobs.draft(), jobs.queued()):
        with pytest.raises(Conflict, match="only a job that is over") as refused:
            retry(database, job_id)
        assert refused.value.code == "job-active"


def test_a_job_without_failures_says_why_it_cannot_be_retried(jobs: Jobs, database: Database) -> None:
    good = jobs.queued(images=1)
    jobs.finish(jobs.claim())
    rejected = jobs.committed(images=1)
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with database.begin() as session:
        empty = NewResult(seq=1, status=ImageStatus.REJECTED, error_code=ImageErrorCode.EMPTY)
        claims.finish_validation(session, held, [empty], sizes=sizes(2))
    canceled = jobs.queued(images=2, chunk_images=1)
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    with database.begin() as session:
        assert lifecycle.cancel(session, canceled).state == JobState.CANCELED
    for job_id, reason in ((good, "no image of it failed"), (rejected, "1 were rejected"), (canceled, "new job")):
        with pytest.raises(Conflict, match=reason) as refused:
            retry(database, job_id)
        assert refused.value.code == "nothing-to-retry"


def test_of_retries_at_the_same_time_one_runs(
    jobs: Jobs, database: Database, at_once: Callable[..., list[object]]
) -> None:
    job_id = half_failed(jobs)
    ended = at_once(*[lambda: retry(database, job_id)] * 4)
    assert len([one for one in ended if isinstance(one, Job)]) == 1
    assert {one.code for one in ended if isinstance(one, Conflict)} == {"job-active"}
    assert jobs.get(job_id).retries == 1
    assert jobs.get(job_id).open_chunks == 2


def test_the_late_answer_of_an_old_run_is_not_stored(jobs: Jobs, database: Database) -> None:
    """A chunk of the first run is closed for good, whatever its worker says later."""
    job_id = jobs.queued(images=1)
    held = jobs.claim()
    jobs.finish(held, status=ImageStatus.FAILED)
    retry(database, job_id)
    with database.begin() as session:
        claims.finish(session, held, answers(held))
    assert jobs.counts(job_id)["pending"] == 1
