"""What becomes of a chunk whose runner raises, by the one table of the loop."""

import threading
from collections.abc import Callable, Sequence

import pytest

from shared.contracts.states import ChunkKind, ChunkState, JobState
from shared.db.models import Chunk
from shared.db.session import Database
from shared.errors import DatabaseUnavailable, LeaseLost, PhytobatchError, StoreUnavailable
from shared.jobs import claims, lifecycle
from shared.jobs.claims import Claim
from shared.jobs.results import NewResult
from shared.settings import Settings
from tests.integration.jobs.factory import Jobs, answers
from worker.context import Context
from worker.leasing.leases import Lease
from worker.leasing.outcome import CancelRequested, ChunkOutcome, SourceRejected, StopRequested, TurnOver
from worker.loop import chunk as chunks
from worker.loop.chunk import run_chunk

Run = Callable[[Exception], ChunkOutcome]
DONE = 2  # of the four images of the chunk


@pytest.fixture
def claim(jobs: Jobs) -> Claim:
    jobs.queued(images=4, chunk_images=4)
    return jobs.claim()


@pytest.fixture
def run(claim: Claim, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the chunk with a runner that finishes two images and raises."""

    def run_and_raise(error: Exception) -> ChunkOutcome:
        def runner(_: Context, lease: Lease) -> ChunkOutcome:
            lease.done += answers(lease.claim)[:DONE]
            raise error

        monkeypatch.setattr(chunks, "RUNNERS", {claim.kind: runner})
        unused: object = None
        context = Context(settings, database, unused, unused, {}, "test")  # type: ignore[arg-type]
        return run_chunk(context, Lease(claim, database, threading.Event()))

    return run_and_raise


def row_of(database: Database, claim: Claim) -> Chunk:
    with database.begin() as session:
        return session.get_one(Chunk, (claim.job_id, claim.no))


@pytest.mark.parametrize(
    ("error", "outcome", "expected"),
    [
        (LeaseLost("taken over"), ChunkOutcome.LEASE_LOST, (ChunkState.RUNNING, 1, 0)),
        (StopRequested(), ChunkOutcome.HANDED_BACK, (ChunkState.READY, 0, DONE)),
        (TurnOver(), ChunkOutcome.HANDED_BACK, (ChunkState.READY, 0, DONE)),
        (StoreUnavailable("away"), ChunkOutcome.HANDED_BACK, (ChunkState.READY, 0, DONE)),
        (DatabaseUnavailable("away"), ChunkOutcome.HANDED_BACK, (ChunkState.READY, 0, DONE)),
        (ValueError("ours"), ChunkOutcome.FAULT, (ChunkState.RUNNING, 1, 0)),
        (PhytobatchError("of no row"), ChunkOutcome.FAULT, (ChunkState.RUNNING, 1, 0)),
    ],
)
def test_each_exception_has_one_ending(
    run: Run,
    claim: Claim,
    jobs: Jobs,
    error: Exception,
    outcome: ChunkOutcome,
    expected: tuple[ChunkState, int, int],
) -> None:
    assert run(error) is outcome
    row = row_of(jobs.database, claim)
    assert (row.state, row.attempt, jobs.counts(claim.job_id)["succeeded"]) == expected


def test_a_canceled_chunk_is_closed_with_what_is_finished(run: Run, claim: Claim, jobs: Jobs) -> None:
    with jobs.database.begin() as session:
        lifecycle.cancel(session, claim.job_id)
    assert run(CancelRequested()) is ChunkOutcome.CANCELED
    counts = jobs.counts(claim.job_id)
    assert (jobs.get(claim.job_id).state, counts["succeeded"], counts["canceled"]) == (JobState.CANCELED, DONE, 2)


def test_a_rejected_source_fails_its_job(jobs: Jobs, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = jobs.committed()
    lease = Lease(jobs.claim_kind(ChunkKind.VALIDATE), jobs.database, threading.Event())

    def reject(*_: object) -> ChunkOutcome:
        raise SourceRejected("source_empty", "there is nothing")

    monkeypatch.setattr(chunks, "RUNNERS", {ChunkKind.VALIDATE: reject})
    unused: object = None
    context = Context(settings, jobs.database, unused, unused, {}, "test")  # type: ignore[arg-type]
    assert run_chunk(context, lease) is ChunkOutcome.FINISHED
    job = jobs.get(job_id)
    assert (job.state, job.error_code, job.error_detail) == (JobState.FAILED, "source_empty", "there is nothing")


def test_a_canceled_validation_ends_its_job(jobs: Jobs, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = jobs.committed(images=3)
    lease = Lease(jobs.claim_kind(ChunkKind.VALIDATE), jobs.database, threading.Event())
    with jobs.database.begin() as session:
        lifecycle.cancel(session, job_id)

    def hear(*_: object) -> ChunkOutcome:
        raise CancelRequested

    monkeypatch.setattr(chunks, "RUNNERS", {ChunkKind.VALIDATE: hear})
    unused: object = None
    context = Context(settings, jobs.database, unused, unused, {}, "test")  # type: ignore[arg-type]
    assert run_chunk(context, lease) is ChunkOutcome.CANCELED
    assert (jobs.get(job_id).state, jobs.counts(job_id)["canceled"]) == (JobState.CANCELED, 3)


def test_a_chunk_that_was_taken_over_before_it_is_handed_back_is_lost(run: Run, claim: Claim, jobs: Jobs) -> None:
    with jobs.database.begin() as session:
        claims.release(session, claim)
    theirs = jobs.claim()
    assert run(StopRequested()) is ChunkOutcome.LEASE_LOST
    row = row_of(jobs.database, theirs)
    assert (row.state, row.lease_token, jobs.counts(claim.job_id)["succeeded"]) == (ChunkState.RUNNING, theirs.token, 0)


def test_an_ending_that_cannot_be_written_is_a_fault(
    run: Run, claim: Claim, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Sequence[NewResult]:
        raise ValueError("what nobody thought of")

    monkeypatch.setattr(claims, "release", fail)
    assert run(StopRequested()) is ChunkOutcome.FAULT
    assert row_of(jobs.database, claim).attempt == 1
