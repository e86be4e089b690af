"""A validation that finds its job unfit to run, after somebody canceled it."""

from shared.contracts.states import ChunkKind, JobState
from shared.db.session import Database
from shared.jobs import claims, lifecycle
from tests.integration.jobs.factory import Jobs


def test_a_canceled_job_whose_validation_fails_is_canceled(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed()
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with database.begin() as session:
        assert lifecycle.cancel(session, job_id).state == JobState.CANCELING
    with database.begin() as session:
        claims.fail_job(session, held, code="source_missing", detail="there is no such bucket")
    job = jobs.get(job_id)
    assert (job.state, job.error_code, job.open_chunks) == (JobState.CANCELED, None, 0)
    assert jobs.counts(job_id)["canceled"] == job.total
