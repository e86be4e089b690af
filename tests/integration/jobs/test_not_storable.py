"""A value that the database refuses costs its own image, and no other its answer."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from shared.contracts.geography import PositionSource
from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus, JobState
from shared.db import refusals
from shared.db.models import Chunk, Image, Result
from shared.db.session import Database
from shared.errors import InvalidRequest
from shared.geography.sidecar.row import SidecarRow
from shared.geography.sidecar.storing import apply_sidecar
from shared.jobs import claims
from shared.jobs.results import NewResult
from shared.settings import Settings
from tests.integration.jobs.factory import Jobs, answers, sizes

Poison = tuple[str, object]
POISONS: tuple[Poison, ...] = (
    ("heading", 1e-50),
    ("heading", 1e300),
    ("confidence", float("nan")),
    ("probabilities", (1e-50, 1.0)),
    ("label", "a\0"),
    ("error_detail", "\ud800"),
    ("latitude", 10**400),
    ("captured_at", "20000-01-01T00:00:00Z"),  # PostgreSQL holds it; our constraint does not let it in
)


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    """One for all: each test leaves no chunk that another could claim."""
    made = Database(settings)
    yield made
    made.dispose()


def poisoned(result: NewResult, poison: Poison) -> NewResult:
    """Past the type, as a value that nobody thought of would come."""
    object.__setattr__(result, *poison)
    return result


def stored(jobs: Jobs, job_id: uuid.UUID) -> dict[int, tuple[str, str | None]]:
    """Status and code by number, and that positions are given once."""
    with jobs.database.begin() as session:
        rows = session.scalars(select(Result).where(Result.job_id == job_id).order_by(Result.position)).all()
    assert len({row.position for row in rows}) == len(rows)
    return {row.seq: (row.status, row.error_code) for row in rows}


def test_a_poisoned_result_fails_alone_and_the_chunk_closes(jobs: Jobs) -> None:
    failed = (ImageStatus.FAILED, ImageErrorCode.NOT_STORABLE)
    for poison in POISONS:
        job_id = jobs.queued(images=7, chunk_images=7)
        held = jobs.claim()
        results = answers(held)
        poisoned(results[3], poison)
        with jobs.database.begin() as session:
            kept = claims.finish(session, held, results)
        expected = {seq: failed if seq == results[3].seq else (ImageStatus.SUCCEEDED, None) for seq in range(1, 8)}
        assert stored(jobs, job_id) == expected, poison
        assert [(one.seq, one.status) for one in kept] == [(seq, status) for seq, (status, _) in expected.items()]
        job = jobs.get(job_id)
        assert (job.state, job.succeeded, job.failed, job.open_chunks) == (JobState.COMPLETED_WITH_ERRORS, 6, 1, 0)


def test_every_poisoned_result_of_a_chunk_fails(jobs: Jobs) -> None:
    job_id = jobs.queued(images=6, chunk_images=6)
    held = jobs.claim()
    with jobs.database.begin() as session:
        claims.finish(session, held, [poisoned(one, ("heading", 1e-50)) for one in answers(held)])
    assert set(stored(jobs, job_id).values()) == {(ImageStatus.FAILED, ImageErrorCode.NOT_STORABLE)}
    assert jobs.get(job_id).state == JobState.FAILED


def test_a_transaction_full_of_poison_comes_to_its_end(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MAX_ATTEMPTS", 3)
    job_id = jobs.queued(images=6, chunk_images=6)
    held = jobs.claim()
    results = answers(held)
    poisoned(results[0], ("heading", 1e-50))
    with jobs.database.begin() as session:
        claims.finish(session, held, results)
    found = stored(jobs, job_id)
    assert len(found) == 6
    assert found[results[0].seq] == (ImageStatus.FAILED, ImageErrorCode.NOT_STORABLE)
    assert jobs.get(job_id).open_chunks == 0


def test_a_chunk_that_is_handed_back_keeps_what_is_healthy(jobs: Jobs) -> None:
    job_id = jobs.queued(images=4, chunk_images=4)
    held = jobs.claim()
    results = answers(held)[:2]
    poisoned(results[1], ("heading", 1e-50))
    with jobs.database.begin() as session:
        claims.release(session, held, results)
    assert len(stored(jobs, job_id)) == 2
    jobs.finish(jobs.claim())
    assert jobs.counts(job_id) == {
        "total": 4, "pending": 0, "succeeded": 3, "failed": 1, "rejected": 0, "canceled": 0
    }  # fmt: skip


def test_a_poisoned_reason_of_the_validation_leaves_its_code(jobs: Jobs) -> None:
    job_id = jobs.committed(images=3)
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    rejected = [
        NewResult(seq=seq, status=ImageStatus.REJECTED, error_code=ImageErrorCode.DUPLICATE, error_detail="the same")
        for seq in (1, 2)
    ]
    poisoned(rejected[0], ("error_detail", "the same file as \0"))
    with jobs.database.begin() as session:
        claims.finish_validation(session, held, rejected, sizes=sizes(2))
    assert stored(jobs, job_id) == dict.fromkeys((1, 2), (ImageStatus.REJECTED, ImageErrorCode.DUPLICATE))
    assert jobs.get(job_id).state == JobState.QUEUED
    jobs.finish(jobs.claim())


def test_what_is_wrong_with_the_whole_is_still_an_error(jobs: Jobs) -> None:
    """A fault of ours must not become the fault of every image."""
    job_id = jobs.queued(images=2, chunk_images=2)
    held = jobs.claim()
    with jobs.database.begin() as session:
        session.get_one(Chunk, (job_id, held.no))
        session.connection().exec_driver_sql("UPDATE jobs SET total = 1 WHERE id = %s", (job_id,))
    with pytest.raises(Exception, match="counts_add_up"), jobs.database.begin() as session:
        claims.finish(session, held, answers(held))
    assert stored(jobs, job_id) == {}


def test_a_poisoned_line_of_a_sidecar_is_named_and_nothing_of_it_is_stored(jobs: Jobs) -> None:
    job_id = jobs.draft(images=3)
    rows = [SidecarRow(line=line, name=f"{line - 2}.jpg", latitude=41.0, longitude=0.5) for line in (2, 3, 4)]
    object.__setattr__(rows[1], "heading", 1e-50)

    def apply(save: Callable[[], None] = lambda: None) -> None:
        with jobs.database.begin() as session:
            apply_sidecar(session, job_id, rows)
            save()

    with pytest.raises(InvalidRequest, match="line 3"):
        apply()
    with jobs.database.begin() as session:
        assert set(session.scalars(select(Image.position_source).where(Image.job_id == job_id))) == {None}
    object.__setattr__(rows[1], "heading", 1.0)
    apply()
    with jobs.database.begin() as session:
        sources = set(session.scalars(select(Image.position_source).where(Image.job_id == job_id)))
    assert sources == {PositionSource.SIDECAR}
