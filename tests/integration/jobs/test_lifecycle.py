"""The states of a job, on a real PostgreSQL."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus, JobState
from shared.db.session import Database
from shared.errors import Conflict, LeaseLost, LimitExceeded, NotFound
from shared.jobs import claims, lifecycle, progress, queries
from shared.jobs.cut import cut
from shared.jobs.images import NewImage, add_images
from shared.jobs.results import NewResult, ResultFilter, read_results
from shared.jobs.sweep import CrashPolicy, sweep
from tests.integration.jobs.factory import MANY, Jobs, answers, sizes
from tests.integration.statements import statements

POLICY = CrashPolicy(isolate_after=2, fail_after=5)


def test_a_commit_that_is_repeated_changes_nothing(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed()
    revision = jobs.get(job_id).revision
    with database.begin() as session:
        assert lifecycle.commit(session, job_id, jobs.classifier.id).state == JobState.VALIDATING
    assert jobs.get(job_id).revision == revision
    assert jobs.get(job_id).open_chunks == 1


def test_commits_at_the_same_time_make_one_validation(
    jobs: Jobs, database: Database, at_once: Callable[..., list[object]]
) -> None:
    job_id = jobs.draft()

    def commit() -> str:
        with database.begin() as session:
            return lifecycle.commit(session, job_id, jobs.classifier.id).state

    assert at_once(*[commit] * 4) == [JobState.VALIDATING] * 4
    with database.begin() as session:
        assert session.execute(text("SELECT count(*) FROM chunks WHERE job_id = :id"), {"id": job_id}).scalar_one() == 1


def test_an_empty_draft_cannot_be_committed(jobs: Jobs, database: Database) -> None:
    with pytest.raises(Conflict, match="no images"), database.begin() as session:
        lifecycle.commit(session, jobs.draft(images=0), jobs.classifier.id)


def test_a_job_of_which_validation_rejects_everything_failed(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed(images=1)
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with database.begin() as session:
        empty = NewResult(seq=1, status=ImageStatus.REJECTED, error_code=ImageErrorCode.EMPTY)
        claims.finish_validation(session, held, [empty], sizes=sizes(2))
    assert jobs.get(job_id).state == JobState.FAILED
    assert jobs.counts(job_id)["rejected"] == 1


def test_a_job_of_which_every_image_failed_is_not_completed(jobs: Jobs) -> None:
    job_id = jobs.queued(images=2)
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    assert jobs.get(job_id).state == JobState.FAILED


def test_a_canceled_job_waits_for_the_worker_that_still_works_on_it(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=6, chunk_images=2)
    held = jobs.claim()
    with database.begin() as session:
        assert lifecycle.cancel(session, job_id).state == JobState.CANCELING
        assert claims.read_state(session, held) == JobState.CANCELING
    assert jobs.try_claim() is None
    with database.begin() as session:
        claims.finish(session, held, answers(held)[:1])
    assert jobs.get(job_id).state == JobState.CANCELED
    assert jobs.counts(job_id) == {"total": 6, "pending": 0, "succeeded": 1, "failed": 0, "rejected": 0, "canceled": 5}


def test_a_canceled_job_whose_worker_dies_is_canceled_by_the_sweep(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2)
    held = jobs.claim(lease_seconds=-1)
    with database.begin() as session:
        lifecycle.cancel(session, job_id)
    sweep(database, POLICY)
    assert jobs.get(job_id).state == JobState.CANCELED
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.finish(session, held, answers(held))


def test_a_canceled_job_whose_worker_hands_its_chunk_back_is_canceled(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2)
    held = jobs.claim()
    with database.begin() as session:
        lifecycle.cancel(session, job_id)
    with database.begin() as session:
        claims.release(session, held, answers(held)[:1])
    assert jobs.get(job_id).state == JobState.CANCELED
    assert jobs.counts(job_id)["succeeded"] == 1


@pytest.mark.parametrize("stage", ["draft", "committed", "queued"])
def test_a_job_that_nobody_works_on_is_canceled_at_once(jobs: Jobs, database: Database, stage: str) -> None:
    job_id = getattr(jobs, stage)()
    with database.begin() as session:
        assert lifecycle.cancel(session, job_id).state == JobState.CANCELED
    assert jobs.counts(job_id)["canceled"] == 3
    with database.begin() as session:
        assert lifecycle.cancel(session, job_id).state == JobState.CANCELED


def test_cancels_and_claims_at_the_same_time_never_deadlock(jobs: Jobs, at_once: Callable[..., list[object]]) -> None:
    for _ in range(10):
        job_id = jobs.queued(images=8, chunk_images=1)

        def cancel(job_id: object = job_id) -> str:
            with jobs.database.begin() as session:
                return lifecycle.cancel(session, job_id).state  # type: ignore[arg-type]

        taken = at_once(cancel, *[jobs.try_claim] * 5)
        assert not [one for one in taken if isinstance(one, Exception)]
        for held in taken[1:]:
            if isinstance(held, claims.Claim):
                jobs.finish(held)
        assert jobs.get(job_id).state == JobState.CANCELED
        counts = jobs.counts(job_id)
        assert counts["total"] == counts["succeeded"] + counts["canceled"] == 8


def test_a_claim_does_not_wait_for_the_lock_of_a_job_that_runs_already(jobs: Jobs, database: Database) -> None:
    """It may hold the row of a chunk that the holder of that lock wants to close."""
    job_id = jobs.queued(images=2, chunk_images=1)
    jobs.claim()
    with database.begin() as finishing, database.begin() as claiming:
        lifecycle.lock_job(finishing, job_id)
        claiming.execute(text("SET LOCAL lock_timeout = '1s'"))
        lifecycle.start(claiming, job_id)
    assert jobs.get(job_id).state == JobState.RUNNING


def test_a_draft_that_nobody_commits_expires(jobs: Jobs, database: Database) -> None:
    job_id = jobs.draft()
    with database.begin() as session:
        session.execute(text("UPDATE jobs SET expires_at = now() - interval '1 second'"))
    assert sweep(database, POLICY).drafts == 1
    assert jobs.get(job_id).state == JobState.EXPIRED
    with pytest.raises(Conflict, match="expired"), database.begin() as session:
        lifecycle.commit(session, job_id, jobs.classifier.id)


def test_a_job_at_work_cannot_be_deleted(jobs: Jobs, database: Database) -> None:
    with pytest.raises(Conflict, match="cancel it"), database.begin() as session:
        lifecycle.delete(session, jobs.queued())


def test_a_deleted_job_leaves_no_row(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=1)
    jobs.finish(jobs.claim())
    with database.begin() as session:
        lifecycle.delete(session, job_id)
    held = jobs.claim_kind(ChunkKind.PURGE)
    with database.begin() as session:
        claims.finish_purge(session, held)
    with database.begin() as session:
        left = {
            table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  # names from here
            for table in ("jobs", "images", "chunks", "results", "events")
        }
    assert left == dict.fromkeys(left, 0)


def test_an_unknown_job_cannot_be_locked(jobs: Jobs, database: Database) -> None:
    with pytest.raises(NotFound), database.begin() as session:
        lifecycle.lock_job(session, jobs.tenant())


def add(database: Database, job_id: object, *images: NewImage, limit: int = MANY) -> list[int]:
    with database.begin() as session:
        job = lifecycle.lock_job(session, job_id)  # type: ignore[arg-type]
        return add_images(session, job, images, max_images=limit)


def test_an_image_that_is_named_again_keeps_its_number(jobs: Jobs, database: Database) -> None:
    job_id = jobs.draft(images=0)
    leaf, other = NewImage(name="leaf.jpg", size=10, sha256=b"x" * 32), NewImage(name="other.jpg", size=5)
    assert add(database, job_id, leaf, leaf) == [1, 1]
    assert add(database, job_id, other, leaf) == [2, 1]
    assert jobs.counts(job_id)["total"] == 2


def test_another_file_of_the_same_name_is_refused_and_nothing_is_added(jobs: Jobs, database: Database) -> None:
    job_id = jobs.draft(images=0)
    add(database, job_id, NewImage(name="leaf.jpg", size=10))
    with pytest.raises(Conflict, match=r"leaf\.jpg"):
        add(database, job_id, NewImage(name="new.jpg", size=1), NewImage(name="leaf.jpg", size=11))
    assert jobs.counts(job_id)["total"] == 1


def test_a_job_has_at_most_the_images_of_the_setting(jobs: Jobs, database: Database) -> None:
    job_id = jobs.draft(images=0)
    with pytest.raises(LimitExceeded) as refused:
        add(database, job_id, NewImage(name="a", size=1), NewImage(name="b", size=1), limit=1)
    assert refused.value.setting == "PHYTOBATCH_MAX_IMAGES_PER_JOB"


def test_images_cannot_be_added_after_validation(jobs: Jobs, database: Database) -> None:
    with pytest.raises(Conflict, match="queued"):
        add(database, jobs.queued(), NewImage(name="late.jpg", size=1))


def test_names_and_metadata_come_back_as_they_were_sent(jobs: Jobs, database: Database) -> None:
    job_id = jobs.draft(images=0)
    name, metadata = "row\t1/..\\\n\u202eleaf \U0001f33f'; DROP TABLE jobs;--.jpg", {"bay": "\\N", "n": [1, None]}
    add(database, job_id, NewImage(name=name, size=1, metadata=metadata))
    with database.begin() as session:
        lifecycle.commit(session, job_id, jobs.classifier.id)
        lifecycle.cancel(session, job_id)
    with database.begin() as session:
        ((row,), _) = read_results(session, job_id, after=0, limit=10, only=ResultFilter())
    assert (row.name, row.metadata) == (name, metadata)


def test_a_reader_with_a_cursor_reads_every_result_exactly_once(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=7, chunk_images=2)
    seen: list[int] = []
    after = 0
    while jobs.get(job_id).state != JobState.COMPLETED:
        jobs.finish(jobs.claim())
        with database.begin() as session:
            for row in read_results(session, job_id, after=after, limit=3, only=ResultFilter())[0]:
                seen.append(row.seq)
                after = row.position
    with database.begin() as session:
        seen += [row.seq for row in read_results(session, job_id, after=after, limit=9, only=ResultFilter())[0]]
    assert sorted(seen) == list(range(1, 8))
    assert len(seen) == 7


def test_results_can_be_filtered_by_status_and_label(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2, chunk_images=1)
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    jobs.finish(jobs.claim())
    with database.begin() as session:

        def read(**only: object) -> list[int]:
            rows, _ = read_results(session, job_id, after=0, limit=9, only=ResultFilter(**only))  # type: ignore[arg-type]
            return [row.seq for row in rows]

        assert read(status=ImageStatus.FAILED) == [1]
        assert read(status=ImageStatus.SUCCEEDED, label="rust") == [2]
        assert read(label="healthy") == []


def test_the_status_of_a_hundred_thousand_images_is_one_statement_that_reads_none_of_them(
    jobs: Jobs, database: Database
) -> None:
    job_id = jobs.draft(images=100_000)
    with database.begin() as session:
        lifecycle.commit(session, job_id, jobs.classifier.id)
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with database.begin() as session:
        claims.finish_validation(session, held, [], sizes=sizes(64))
    job = jobs.get(job_id)
    assert (job.total, job.open_chunks) == (100_000, len(list(cut(100_000, 64))))
    with statements(database.engine) as asked, database.begin() as session:
        row = queries.get_job(session, job.tenant_id, job_id)
    assert progress.counts(row.job)["pending"] == 100_000
    assert len(asked) == 1
    assert not {"images", "results", "chunks"} & set(re.findall(r"\w+", asked[0].sql)), "a status reads the job alone"
