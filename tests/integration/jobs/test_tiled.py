"""The life of a tiled job: validated, inspected, cut by its work, answered; and what may come between."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ChunkKind, EventType, ImageErrorCode, ImageStatus, JobState
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Chunk, Event, Result, Tenant
from shared.db.models.result import TileMapRow
from shared.db.session import Database
from shared.errors import LeaseLost
from shared.jobs import claims, lifecycle
from shared.jobs.chunks import isolated_pool_of
from shared.jobs.claims import Claim
from shared.jobs.progress import progress_of
from shared.jobs.results import NewResult
from shared.jobs.sweep import CrashPolicy, sweep
from shared.limits.quotas import Quotas, usage
from shared.tiles.codec import decode, encode
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap, TileSums, sum_up
from tests.integration.jobs.factory import Jobs, sizes

TILING = {"edge": 224, "overlap": 0.0}
SIZES = sizes(64, tiles=100, heads=2)
POLICY = CrashPolicy(isolate_after=2, fail_after=3, sizes=SIZES)
NO_QUOTAS = Quotas(open_jobs=0, pending_images=0)
LABELS = ("healthy", "rust")


def heads(database: Database, job_id: uuid.UUID, tiles: dict[int, int]) -> None:
    """Store heads as an inspection does; the tiles of each image by its number."""
    with database.begin() as session:
        session.execute(
            text("INSERT INTO image_heads (job_id, seq, width, height, tiles) VALUES (:job, :seq, 400, 300, :tiles)"),
            [{"job": job_id, "seq": seq, "tiles": count} for seq, count in tiles.items()],
        )


def validate(jobs: Jobs, *, rejected: Sequence[NewResult] = (), quotas: Quotas = NO_QUOTAS) -> Claim:
    held = jobs.claim_kind(ChunkKind.INSPECT)
    assert held.kind is ChunkKind.VALIDATE
    with jobs.database.begin() as session:
        claims.finish_validation(session, held, rejected, sizes=SIZES, quotas=quotas)
    return held


def inspect(
    jobs: Jobs, tiles: int | dict[int, int], *, rejected: Sequence[NewResult] = (), quotas: Quotas = NO_QUOTAS
) -> Claim:
    """Inspect one chunk; the tiles of each image, or of some of them."""
    held = jobs.claim_kind(ChunkKind.INSPECT)
    assert held.kind is ChunkKind.INSPECT
    seqs = range(held.first_seq, held.last_seq + 1)
    of_each = dict.fromkeys(seqs, tiles) if isinstance(tiles, int) else {s: n for s, n in tiles.items() if s in seqs}
    heads(jobs.database, held.job_id, of_each)
    with jobs.database.begin() as session:
        claims.finish_inspection(session, held, rejected, inspected=len(of_each), sizes=SIZES, quotas=quotas)
    return held


def queued(jobs: Jobs, *, tiles: int = 40, images: int = 5, **overrides: object) -> uuid.UUID:
    job_id = jobs.committed(images=images, tiling=TILING, **overrides)
    validate(jobs)
    for _ in range(0, images, SIZES.heads):
        inspect(jobs, tiles)
    return job_id


def take(jobs: Jobs) -> Claim:
    held = jobs.try_claim(pool=jobs.tiles_pool)
    assert held is not None
    return held


def tiled_answers(held: Claim, *, label: str | None = "rust", tiles: int = 4) -> list[NewResult]:
    grid = lay_grid(224 * tiles, 224, 224)
    review = None if label else ReviewReason.LOW_CONFIDENCE
    answered = TileMap.of(grid, [Tile(1, 0.75, review)] * tiles)
    return [
        NewResult(
            seq=seq,
            status=ImageStatus.SUCCEEDED,
            label=label,
            confidence=0.75 if label else None,
            needs_review=label is None,
            review_reason=None if label else ReviewReason.TOO_FEW_TILES,
            tile_sums=sum_up(answered, LABELS).as_json(),
            tile_map=encode(answered),
        )
        for seq in range(held.first_seq, held.last_seq + 1)
    ]


def finish(jobs: Jobs, held: Claim, **how: object) -> None:
    with jobs.database.begin() as session:
        claims.finish(session, held, tiled_answers(held, **how))  # type: ignore[arg-type]


def chunks(database: Database, job_id: uuid.UUID, kind: ChunkKind) -> list[Chunk]:
    with database.begin() as session:
        return session.query(Chunk).filter_by(job_id=job_id, kind=kind).order_by(Chunk.no).all()


def assert_maps_are_whole(database: Database, job_id: uuid.UUID) -> None:
    """Each tiled answer has its map, each map its answer, and the sums are those of the map."""
    with database.begin() as session:
        maps = {row.seq: row.map for row in session.query(TileMapRow).filter_by(job_id=job_id)}
        sums = {row.seq: row.tile_sums for row in session.query(Result).filter_by(job_id=job_id) if row.tile_sums}
    assert maps.keys() == sums.keys()
    for seq, stored in maps.items():
        assert TileSums.from_json(sums[seq] or {}) == sum_up(decode(stored), LABELS)


def test_it_is_validated_inspected_and_cut_by_its_work(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed(images=5, tiling=TILING)
    assert jobs.try_claim(pool=ChunkKind.VALIDATE) is None, "where programs of the version before look"
    validate(jobs)
    assert [(one.first_seq, one.last_seq) for one in chunks(database, job_id, ChunkKind.INSPECT)] == [
        (1, 2), (3, 4), (5, 5),
    ]  # fmt: skip
    inspect(jobs, 30)
    assert (jobs.get(job_id).state, jobs.get(job_id).inspected) == (JobState.VALIDATING, 2)
    inspect(jobs, {3: 300, 4: 1})
    inspect(jobs, 39)
    job = jobs.get(job_id)
    assert (job.state, job.inspected, job.work_total, job.work_done) == (JobState.QUEUED, 5, 400, 0)
    cut = chunks(database, job_id, ChunkKind.CLASSIFY)
    assert [(one.first_seq, one.last_seq, one.work) for one in cut] == [
        (1, 1, 30),
        (2, 2, 30),
        (3, 3, 300),
        (4, 4, 1),
        (5, 5, 39),
    ]
    assert {one.pool for one in cut} == {jobs.tiles_pool}
    assert jobs.try_claim() is None, "nothing is where whole photographs are"


def test_jobs_of_whole_photographs_are_neither_inspected_nor_counted(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=5, chunk_images=2)
    jobs.finish(jobs.claim())
    job = jobs.get(job_id)
    assert (job.work_total, job.work_done, job.inspected, job.warnings) == (None, 0, 0, [])
    assert {one.work for one in chunks(database, job_id, ChunkKind.CLASSIFY)} == {None}
    assert progress_of(job, job.created_at).work is None


def test_results_are_counted_with_their_work_and_stored_with_their_maps(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs)
    finish(jobs, take(jobs))
    assert jobs.get(job_id).work_done == 40
    held = take(jobs)
    finish(jobs, held)
    finish(jobs, held)
    assert jobs.get(job_id).work_done == 80, "a commit that is repeated counts once"
    while jobs.get(job_id).state == JobState.RUNNING:
        finish(jobs, take(jobs))
    job = jobs.get(job_id)
    assert (job.state, job.work_done, job.work_total) == (JobState.COMPLETED, 200, 200)
    assert_maps_are_whole(database, job_id)


def test_the_progress_goes_by_work(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed(images=2, tiling=TILING)
    seen = progress_of(jobs.get(job_id), jobs.get(job_id).created_at)
    assert seen.work is not None
    assert (seen.percent, seen.work.total, seen.work.done) == (0.0, None, 0)
    validate(jobs)
    inspect(jobs, {1: 10, 2: 90})
    held = take(jobs)
    with database.begin() as session:
        session.execute(text("UPDATE jobs SET started_at = now() - interval '10 s', mark_at = now() - interval '10 s'"))
    finish(jobs, held)
    job = jobs.get(job_id)
    assert job.last_result_at is not None
    seen = progress_of(job, job.last_result_at)
    assert seen.work is not None
    assert (seen.percent, seen.work.total, seen.work.done) == (10.0, 100, 10)
    assert seen.images_per_second == pytest.approx(0.1, rel=0.1)
    assert seen.work.per_second == pytest.approx(1.0, rel=0.1)
    assert seen.estimated_end is not None
    assert (seen.estimated_end - job.last_result_at).total_seconds() == pytest.approx(90, rel=0.1)


def test_events_tell_the_work_and_the_warnings(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs, images=1)
    finish(jobs, take(jobs), label=None)
    with database.begin() as session:
        event = session.query(Event).filter_by(job_id=job_id, type=EventType.JOB_COMPLETED).one()
    assert event.data["work"] == {"unit": "tiles", "total": 40, "done": 40}
    assert [one["code"] for one in event.data["warnings"]] == ["nothing_decided"]


def test_an_image_that_is_refused_is_no_work(jobs: Jobs) -> None:
    job_id = jobs.committed(images=2, tiling=TILING)
    validate(jobs)
    refused = NewResult(seq=2, status=ImageStatus.REJECTED, error_code=ImageErrorCode.TOO_MANY_TILES)
    inspect(jobs, {1: 10, 2: 9999}, rejected=[refused])
    job = jobs.get(job_id)
    assert (job.state, job.rejected, job.work_total, job.work_done) == (JobState.QUEUED, 1, 10, 0)


def test_a_job_of_which_everything_is_refused_ends(jobs: Jobs) -> None:
    job_id = jobs.committed(images=1, tiling=TILING)
    validate(jobs)
    inspect(jobs, 1, rejected=[NewResult(seq=1, status=ImageStatus.REJECTED, error_code=ImageErrorCode.EMPTY)])
    assert jobs.get(job_id).state == JobState.FAILED


def test_an_inspection_that_is_lost_too_often_holds_nothing_up(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed(images=3, tiling=TILING)
    validate(jobs)
    inspect(jobs, 20)
    for _ in range(POLICY.fail_after):
        assert jobs.get(job_id).state == JobState.VALIDATING
        lost = jobs.claim_kind(ChunkKind.INSPECT, lease_seconds=-1)
        assert sweep(database, POLICY).leases == 1
    job = jobs.get(job_id)
    assert (job.state, job.work_total, job.inspected) == (JobState.QUEUED, 41, 3)
    (warning,) = job.warnings
    assert warning["code"] == WarningCode.INSPECTION_INCOMPLETE
    assert "1 of 3 photographs" in warning["detail"]
    with database.begin() as session, pytest.raises(LeaseLost):
        claims.finish_inspection(session, lost, [], inspected=1, sizes=SIZES, quotas=NO_QUOTAS)


def test_a_cancel_during_the_inspection_ends_it(jobs: Jobs, database: Database) -> None:
    job_id = jobs.committed(images=5, tiling=TILING)
    validate(jobs)
    held = jobs.claim_kind(ChunkKind.INSPECT)
    with database.begin() as session:
        assert lifecycle.cancel(session, job_id).state == JobState.CANCELING
    with database.begin() as session:
        claims.finish_inspection(session, held, [], inspected=2, sizes=SIZES, quotas=NO_QUOTAS)
    assert (jobs.get(job_id).state, jobs.counts(job_id)["canceled"]) == (JobState.CANCELED, 5)


def test_what_is_canceled_is_done_work(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs)
    finish(jobs, take(jobs))
    with database.begin() as session:
        lifecycle.cancel(session, job_id)
    job = jobs.get(job_id)
    assert (job.state, job.succeeded, job.work_done, job.work_total) == (JobState.CANCELED, 1, 200, 200)


def test_a_retry_runs_the_failed_ones_by_their_work(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs, images=2)
    failed = take(jobs)
    with database.begin() as session:
        claims.finish(session, failed, [NewResult(seq=1, status=ImageStatus.FAILED)])
    finish(jobs, take(jobs))
    with database.begin() as session:
        lifecycle.retry(session, job_id, sizes=SIZES)
    job = jobs.get(job_id)
    assert (job.work_total, job.work_done) == (80, 40)
    again = take(jobs)
    assert (again.first_seq, again.pool) == (1, jobs.tiles_pool)
    finish(jobs, again)
    assert (jobs.get(job_id).state, jobs.get(job_id).work_done) == (JobState.COMPLETED, 80)
    assert_maps_are_whole(database, job_id)


def test_a_chunk_that_ends_its_workers_is_split_and_keeps_its_work(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs, tiles=10, images=4)
    whole = {(one.first_seq, one.last_seq) for one in chunks(database, job_id, ChunkKind.CLASSIFY)}
    assert whole == {(1, 1), (2, 4)} or len(whole) > 1
    for _ in range(2):
        while jobs.try_claim(pool=jobs.tiles_pool, lease_seconds=-1):
            pass
        sweep(database, POLICY)
    single = [one for one in chunks(database, job_id, ChunkKind.CLASSIFY) if one.isolated]
    assert [(one.first_seq, one.last_seq, one.work) for one in single] == [(seq, seq, 10) for seq in (1, 2, 3, 4)]
    assert {one.pool for one in single} == {jobs.tiles_pool}
    for _ in range(POLICY.fail_after):
        while jobs.try_claim(pool=jobs.tiles_pool, lease_seconds=-1):
            pass
        sweep(database, POLICY)
    job = jobs.get(job_id)
    assert (job.state, job.failed, job.work_done, job.work_total) == (JobState.FAILED, 4, 40, 40)


def test_a_job_without_an_answer_says_so(jobs: Jobs) -> None:
    job_id = queued(jobs, images=2)
    while (held := jobs.try_claim(pool=jobs.tiles_pool)) is not None:
        finish(jobs, held, label=None)
    job = jobs.get(job_id)
    assert job.state == JobState.COMPLETED
    (warning,) = job.warnings
    assert warning["code"] == WarningCode.NOTHING_DECIDED
    assert "none of 2 photographs could be decided (2 too_few_tiles)" in warning["detail"]
    decided = queued(jobs, images=2)
    finish(jobs, take(jobs), label=None)
    finish(jobs, take(jobs))
    assert jobs.get(decided).warnings == []


@pytest.mark.parametrize("of_tenant", [True, False])
def test_a_job_of_too_many_tiles_fails_and_a_retry_has_them_checked_again(
    jobs: Jobs, database: Database, *, of_tenant: bool
) -> None:
    tenant = jobs.tenant()
    limit = Quotas(open_jobs=0, pending_images=0, pending_tiles=0 if of_tenant else 100)
    if of_tenant:
        with database.begin() as session:
            session.get_one(Tenant, tenant).max_pending_tiles = 100
    first = queued(jobs, tenant=tenant, images=2)
    with database.begin() as session:
        assert usage(session, tenant).tiles == 80
    second = jobs.committed(images=1, tiling=TILING, tenant=tenant)
    validate(jobs, quotas=limit)
    inspect(jobs, 40, quotas=limit)
    job = jobs.get(second)
    assert (job.state, job.error_code) == (JobState.FAILED, "quota_exceeded")
    assert "may have 100 pending tiles and has 80, so 40 more do not fit" in str(job.error_detail)
    with database.begin() as session:
        lifecycle.retry(session, second, sizes=SIZES)
    validate(jobs, quotas=limit)
    assert jobs.get(second).error_code == "quota_exceeded", "its heads are known, and there is still no room"
    with database.begin() as session:
        lifecycle.cancel(session, first)
        lifecycle.retry(session, second, sizes=SIZES)
    validate(jobs, quotas=limit)
    assert jobs.get(second).state == JobState.QUEUED


def test_a_set_that_arrived_through_the_api_is_inspected_and_a_single_photograph_is_not(
    jobs: Jobs, database: Database
) -> None:
    several, single = jobs.draft(images=2, tiling=TILING), jobs.draft(images=1, tiling=TILING)
    for job_id in (several, single):
        with database.begin() as session:
            lifecycle.commit_arrived(session, job_id, jobs.classifier.id, sizes=SIZES)
    assert jobs.get(single).state == JobState.QUEUED
    assert take(jobs).job_id == single
    assert jobs.get(several).state == JobState.VALIDATING
    inspect(jobs, 7)
    assert (jobs.get(several).state, jobs.get(several).work_total) == (JobState.QUEUED, 14)


def test_an_answer_that_cannot_be_stored_costs_its_own_image_and_leaves_no_map(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs, tiles=4, images=3)
    held = take(jobs)
    first, second, third = tiled_answers(held)
    unstorable = replace(second, tile_sums={"labels": {"a\x00b": 1}, "review": {}, "skipped": {}})
    with database.begin() as session:
        claims.finish(session, held, [first, unstorable, third])
    job = jobs.get(job_id)
    assert (job.state, job.succeeded, job.failed) == (JobState.COMPLETED_WITH_ERRORS, 2, 1)
    assert (job.work_done, job.work_total) == (12, 12)
    assert_maps_are_whole(database, job_id)


def test_nothing_of_a_deleted_job_remains(jobs: Jobs, database: Database) -> None:
    job_id = queued(jobs, images=1)
    finish(jobs, take(jobs))
    with database.begin() as session:
        lifecycle.delete(session, job_id)
    held = jobs.claim_kind(ChunkKind.PURGE)
    with database.begin() as session:
        claims.finish_purge(session, held)
    with database.begin() as session:
        for table in ("image_heads", "tile_maps", "results"):
            statement = text(f"SELECT count(*) FROM {table} WHERE job_id = :job")  # noqa: S608  # from here
            assert session.execute(statement, {"job": job_id}).scalar_one() == 0


def test_programs_of_the_version_before_cannot_take_it(jobs: Jobs, database: Database) -> None:
    """What they insert, to validate, to retry and to repair, lands where they do not look."""
    insert = text(
        "INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, first_seq, last_seq, state) "
        "SELECT id, :no, tenant_id, :kind, :pool, 1, 1, 1, 'ready' FROM jobs WHERE id = :job"
    )
    tiled, whole = jobs.draft(tiling=TILING), jobs.draft()
    pools = {
        "validate": "inspect",
        jobs.pool: jobs.tiles_pool,
        isolated_pool_of(jobs.pool): isolated_pool_of(jobs.tiles_pool),
        isolated_pool_of(jobs.tiles_pool): isolated_pool_of(jobs.tiles_pool),
        jobs.tiles_pool: jobs.tiles_pool,
        "purge": "purge",
    }
    with database.begin() as session:
        for no, pool in enumerate(pools):
            for job_id in (tiled, whole):
                session.execute(insert, {"job": job_id, "no": no, "kind": "classify", "pool": pool})
    with database.begin() as session:
        of_tiled = [one.pool for one in session.query(Chunk).filter_by(job_id=tiled).order_by(Chunk.no)]
        of_whole = [one.pool for one in session.query(Chunk).filter_by(job_id=whole).order_by(Chunk.no)]
    assert of_tiled == list(pools.values())
    assert of_whole == list(pools)


def test_the_tenant_with_the_least_work_at_hand_is_next(jobs: Jobs) -> None:
    large, small = jobs.tenant(), jobs.tenant()
    queued(jobs, tenant=large, tiles=90)
    queued(jobs, tenant=small, tiles=20)
    taken = [take(jobs).tenant_id for _ in range(5)]
    assert taken == [large, small, small, small, small], "90 tiles are as much as four photographs of 20"
