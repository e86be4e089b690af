"""Commands about jobs and workers."""

import io
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from api.admin.jobs import purge
from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus
from shared.db.models import Chunk
from shared.db.session import Database
from shared.errors import LeaseLost
from shared.jobs import claims, lifecycle
from shared.jobs.results import NewResult
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.integration.api.admin.conftest import Admin, set_environment
from tests.integration.jobs.factory import Jobs


def age(database: Database, job_id: uuid.UUID, **by: float) -> None:
    """Everything that happened to a job happened earlier."""
    moments = ("created_at", "committed_at", "queued_at", "started_at", "last_result_at", "finished_at")
    with database.begin() as session:
        session.execute(
            text(f"UPDATE jobs SET {', '.join(f'{m} = {m} - :by' for m in moments)} WHERE id = :job"),  # noqa: S608
            {"by": timedelta(**by), "job": job_id},
        )


def pause(database: Database, job_id: uuid.UUID) -> None:
    with database.begin() as session:
        session.execute(
            text("UPDATE chunks SET not_before = now() + interval '1 hour' WHERE job_id = :j"), {"j": job_id}
        )


def chunks(database: Database, job_id: uuid.UUID) -> list[Chunk]:
    with database.begin() as session:
        return list(session.query(Chunk).where(Chunk.job_id == job_id).order_by(Chunk.no))


def test_jobs_that_hang_come_first_and_say_what_they_wait_for(admin: Admin, jobs: Jobs, database: Database) -> None:
    draft, paused, running = jobs.draft(), jobs.queued(), jobs.queued()
    pause(database, paused)
    held = jobs.claim()
    assert held.job_id == running
    age(database, paused, hours=3)
    over = jobs.queued(images=1)
    jobs.finish(jobs.claim())
    age(database, over, days=2)
    rows = admin.rows("list-jobs")
    assert [row[0] for row in rows] == [str(paused), str(running)]
    assert rows[0][3:5] == ["3h", "0/3"]
    assert rows[0][6].startswith("its pause until")
    assert rows[1][6] == "1 chunks at work, 1 ready"
    assert [row[0] for row in admin.rows("list-jobs", "--older-than", "1h")] == [str(paused)]
    assert {row[0] for row in admin.rows("list-jobs", "--all")} == {str(j) for j in (draft, paused, running, over)}
    assert [row[0] for row in admin.rows("list-jobs", "--state", "completed")] == [str(over)]
    assert "There are more; --limit 2" in admin.say("list-jobs", "--limit", "1")
    assert "no tenant 'nobody'" in admin("list-jobs", "--tenant", "nobody")[2]


def test_one_job_is_shown_with_what_a_person_asks_about_it(admin: Admin, jobs: Jobs) -> None:
    job_id = jobs.queued(images=5)
    first = jobs.claim()
    bad = NewResult(first.first_seq, ImageStatus.FAILED, error_code=ImageErrorCode.TRUNCATED, error_detail="cut off")
    with jobs.database.begin() as session:
        claims.finish(session, first, [bad, NewResult(first.last_seq, ImageStatus.SUCCEEDED, label="rust")])
    jobs.claim()
    said = admin.say("show-job", job_id)
    assert "5 in all, 3 pending, 1 succeeded, 1 failed" in said
    assert "classify  running  1" in said
    assert "truncated  1       0.jpg     cut off" in said
    assert "job.validated" in said
    assert "  test  " in said, "the worker that holds a chunk is named"
    assert "there is no job" in admin("show-job", uuid.uuid4())[2].lower()


def test_requeue_ends_pauses(admin: Admin, jobs: Jobs, database: Database) -> None:
    one, other = jobs.queued(images=1), jobs.queued(images=4)
    for job_id in (one, other):
        pause(database, job_id)
    assert jobs.try_claim() is None
    assert admin.say("requeue", "--job", other) == "2 chunks were waiting for their time and are due now."
    assert jobs.claim().job_id == other
    assert admin.say("requeue").startswith("1 chunks")


def test_requeue_takes_the_chunks_of_a_dead_worker_back_and_fences_it_out(
    admin: Admin, jobs: Jobs, database: Database, admin_settings: Settings
) -> None:
    job_id = jobs.queued()
    held = jobs.claim(lease_seconds=admin_settings.lease_seconds)
    status, _, refused = admin("requeue", "--worker", "test")
    assert (status, "SIGTERM" in refused) == (1, True)
    with database.begin() as session:
        session.execute(text("UPDATE chunks SET lease_until = now() + interval '20 s' WHERE state = 'running'"))
    assert admin.say("requeue", "--worker", "test") == "1 chunks of test are taken back; their attempts count."
    assert [(chunk.state, chunk.attempt) for chunk in chunks(database, job_id)[1:]] == [("ready", 1), ("ready", 0)]
    with pytest.raises(LeaseLost), database.begin() as session:
        claims.finish(session, held, [])
    assert "holds no chunk" in admin("requeue", "--worker", "test")[2]
    jobs.claim()
    assert admin.say("requeue", "--worker", "test", "--force").startswith("1 chunks")


def test_workers_are_listed_with_their_leases(admin: Admin, jobs: Jobs, admin_settings: Settings) -> None:
    assert admin.say("list-workers") == (
        "No worker holds a chunk or closed one in the last 1h.\n\nNo program is connected."
    )
    jobs.queued()
    jobs.finish(jobs.claim())
    jobs.claim()
    worker = Database(admin_settings, application="phytobatch-worker")
    with worker.begin() as session:
        session.execute(text("UPDATE chunks SET lease_until = now() - interval '9 s' WHERE state = 'running'"))
    ((name, holds, of_jobs, attempts, renewed, left, *_),) = admin.rows("list-workers")
    assert (name, holds, of_jobs, attempts, left) == ("test", "1", "1", "1", "over")
    assert renewed == "1m 9s ago"
    assert "phytobatch-worker  127.0.0.1  1" in admin.say("list-workers")
    worker.dispose()


def test_exports_are_held_listed_and_taken_back_as_other_chunks_are(
    admin: Admin, jobs: Jobs, database: Database
) -> None:
    job_id = jobs.queued(images=1)
    export_id = jobs.export(job_id)
    jobs.claim_kind(ChunkKind.EXPORT)
    ((name, holds, *_),) = admin.rows("list-workers")
    assert (name, holds) == ("test", "1")
    assert "export" in admin.say("show-job", job_id)
    assert admin.rows("list-jobs")[0][6] == "a worker that takes 1 ready chunks", (
        "exports are no part of the job's work"
    )
    assert admin.say("requeue", "--worker", "test", "--force").startswith("1 chunks")
    again = jobs.claim_kind(ChunkKind.EXPORT)
    assert (again.export_id, again.attempt) == (export_id, 2)
    with database.begin() as session:
        claims.release(session, again, pause_seconds=3600)
    assert jobs.try_claim(pool=ChunkKind.EXPORT) is None
    assert admin.say("requeue", "--job", job_id).startswith("1 chunks")
    assert jobs.claim_kind(ChunkKind.EXPORT).attempt == 2


def test_a_job_is_canceled_and_one_that_failed_runs_again(admin: Admin, jobs: Jobs) -> None:
    canceled, failed = jobs.queued(), jobs.queued(images=1)
    assert admin.say("cancel-job", canceled) == f"Job {canceled} is canceled: 0 images have an answer."
    assert admin.say("cancel-job", canceled).startswith(f"Job {canceled} is canceled")
    assert "create a new job" in admin("retry-job", canceled)[2]
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    assert admin.say("retry-job", failed) == f"Job {failed} is queued: 1 images run again."
    assert "only a job that is over" in admin("retry-job", failed)[2]
    held = jobs.claim()
    assert admin.say("cancel-job", failed).endswith("its workers end it at their next batch.")
    with jobs.database.begin() as session:
        claims.release(session, held)
    assert jobs.get(failed).state == "canceled"


def test_purge_removes_a_job_and_finishes_what_was_begun(admin: Admin, jobs: Jobs, admin_settings: Settings) -> None:
    store = S3Store(admin_settings)
    one, begun, kept = jobs.draft(images=1), jobs.draft(images=1), jobs.queued(images=1)
    for job_id in (one, begun, kept):
        store.put(upload_key(job_id, 0), io.BytesIO(b"x"), size=1)
    with jobs.database.begin() as session:
        lifecycle.delete(session, begun)
    assert [row[2] for row in admin.rows("list-jobs")] == ["queued", "deleted"]
    pause(jobs.database, begun)
    assert "cancel it before" in admin("purge", kept)[2]
    assert admin.say("purge", one) == (
        f"Job {one} is deleted. 2 deleted jobs were removed here, with photographs and results."
    )
    assert [row[0] for row in admin.rows("list-jobs", "--all")] == [str(kept)]
    assert list(store.list_objects(f"uploads/{one}/")) == list(store.list_objects(f"uploads/{begun}/")) == []
    assert len(list(store.list_objects(f"uploads/{kept}/"))) == 1
    assert "there is no job" in admin("purge", one)[2].lower()
    assert chunks(jobs.database, kept)[-1].kind == ChunkKind.CLASSIFY


def test_a_purge_keeps_its_lease(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "LEASE_SECONDS", 0.0)  # so that it is always time
    job_id = jobs.draft(images=1)
    with jobs.database.begin() as session:
        lifecycle.delete(session, job_id)
    held = purge._claim(jobs.database)
    assert held is not None
    first = chunks(jobs.database, job_id)[-1].lease_until
    purge._renewing(jobs.database, held)()
    renewed = chunks(jobs.database, job_id)[-1].lease_until
    assert first is not None
    assert renewed is not None
    assert renewed > first


def test_objects_without_a_job_are_shown_first_and_removed_when_asked(
    admin: Admin, jobs: Jobs, admin_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = admin_settings.model_copy(update={"s3_bucket": "orphans"})
    set_environment(settings, monkeypatch)
    store = S3Store(settings)
    store.create_bucket()
    kept, lost = jobs.draft(images=1), uuid.uuid4()
    for key in (
        upload_key(kept, 0),
        upload_key(lost, 0),
        upload_key(lost, 1),
        f"exports/{lost}/1/2",
        "uploads/readme",
        "models/a/1/x",
    ):
        store.put(key, io.BytesIO(b"x"), size=1)
    assert admin.say("purge", "--orphans").startswith("3 objects (0.0 MiB) of 1 jobs")
    assert len(list(store.list_objects(""))) == 6
    assert admin.say("purge", "--orphans", "--delete").endswith("are removed.")
    assert [found.key for found in store.list_objects("")] == ["models/a/1/x", upload_key(kept, 0), "uploads/readme"]
    assert admin.say("purge", "--orphans") == "Every upload and export belongs to a job."
    assert "--delete goes with --orphans" in admin("purge", "--delete")[2]
