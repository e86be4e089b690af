"""What the database shows of a job, in the words of the model."""

from collections import Counter
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import TERMINAL_EVENT, ChunkKind, ChunkState, ImageStatus
from shared.db.models import Job
from tests.integration.jobs.statemachine.model import ModelJob

CHUNKS = text(
    "SELECT no, kind, state, attempt, isolated, lease_token, lease_until IS NOT NULL AS leased, first_seq, last_seq "
    "FROM chunks WHERE job_id = :job ORDER BY no"
)
RESULTS = text("SELECT seq, status, position FROM results WHERE job_id = :job")
EXPORTS = text("SELECT id, state FROM exports WHERE job_id = :job")
ENDINGS = text("SELECT count(*) FROM events WHERE job_id = :job AND type = ANY(:types)")


def assert_as_in_the_model(session: Session, model: ModelJob) -> None:
    """Every row of the job is as the model says, and its numbers agree with its rows."""
    job = session.get(Job, model.id, populate_existing=True)
    if model.gone:
        assert job is None
        return
    assert job is not None
    assert job.state == model.state
    assert (job.deleted_at is not None) == model.deleted
    assert (job.error_code is not None) == model.has_error
    _assert_results(session, job, model)
    _assert_chunks(session, job, model)
    assert {row.id: row.state for row in session.execute(EXPORTS, {"job": job.id})} == model.exports
    types = [event.value for event in TERMINAL_EVENT.values()]
    assert session.execute(ENDINGS, {"job": job.id, "types": types}).scalar_one() == model.endings


def _assert_results(session: Session, job: Job, model: ModelJob) -> None:
    rows = session.execute(RESULTS, {"job": job.id}).all()
    answered = {seq: status for seq, status in model.answers.items() if status is not ImageStatus.PENDING}
    assert {row.seq: row.status for row in rows} == answered
    assert len(rows) == len(answered), "one result for an image"
    assert len({row.position for row in rows}) == len(rows), "a reader's cursor passes each result once"
    assert max((row.position for row in rows), default=0) <= job.last_position
    counted = Counter({status: getattr(job, status) for status in ImageStatus if status is not ImageStatus.PENDING})
    assert +counted == Counter(answered.values())
    assert job.total == len(model.answers)


def _assert_chunks(session: Session, job: Job, model: ModelJob) -> None:
    rows = session.execute(CHUNKS, {"job": job.id}).all()
    assert [_chunk(row) for row in rows] == [
        (one.no, one.kind, one.state, one.attempt, one.isolated)
        for one in sorted(model.chunks.values(), key=lambda chunk: chunk.no)
    ]
    for row in rows:
        assert (row.state == ChunkState.RUNNING) == bool(row.leased)
        assert row.state != ChunkState.RUNNING or row.lease_token == model.chunks[row.no].token
    waited_for = [row for row in rows if row.kind != ChunkKind.EXPORT]
    assert job.open_chunks == sum(row.state != ChunkState.DONE for row in waited_for)
    assert not model.is_over or job.open_chunks == model.deleted, "a job that is over has no open chunk"


def _chunk(row: Any) -> tuple[Any, ...]:  # noqa: ANN401  # a row of the query above
    return row.no, row.kind, row.state, row.attempt, row.isolated
