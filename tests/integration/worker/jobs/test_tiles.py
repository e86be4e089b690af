"""A tiled job through its runners, on a real store: validated, inspected, classified tile by tile."""

import io
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Manifest, ManifestTiling
from shared.contracts.states import ChunkKind, ImageErrorCode, JobState
from shared.contracts.tiles import TileSkip
from shared.contracts.tiling import OnCoarse
from shared.db.models import Classifier, ImageHead, Result
from shared.db.models.result import TileMapRow
from shared.db.session import Database
from shared.jobs import lifecycle, requeue
from shared.jobs.chunks import isolated_pool_of, tiles_pool_of
from shared.jobs.cut import ChunkSizes
from shared.jobs.images import NewImage, add_images
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from shared.tiles.codec import decode
from shared.tiles.tile_map import TileSums, sum_up
from tests.integration.jobs.factory import Jobs
from tests.unit.inference.colours import ColourClassifier
from worker.context import Context
from worker.inference.classifier import Outputs
from worker.inference.limits import PictureLimits
from worker.inference.pipeline import Pipeline
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome
from worker.loop.chunk import run_chunk

EDGE = 32
COLUMNS, ROWS = 8, 6
MAX_TILES = 200
MANIFEST = Manifest(
    name="colours",
    version="1",
    sha256="0" * 64,
    classes=(ClassLabel(id="red"), ClassLabel(id="healthy"), ClassLabel(id="blue")),
    input_size=(8, 8),
    tiling=ManifestTiling(edge=EDGE, ground_resolution_mm=(0.1, 1.0), report_from=0.2, min_tiles=4),
)


class Watched(ColourClassifier):
    """A classifier, and something that happens before each batch."""

    before: Callable[[int], object] = staticmethod(lambda _: None)

    def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:
        self.before(len(self.batches))
        return super().classify(batch, maps=maps)


def picture(red: int, *, columns: int = COLUMNS, rows: int = ROWS, image_format: str = "JPEG") -> bytes:
    """A bench of squares: so many are red, the others green."""
    squares = np.full((rows * columns, 3), (20, 230, 20), np.uint8)
    squares[:red] = (230, 20, 20)
    pixels = squares.reshape(rows, columns, 3).repeat(EDGE, axis=0).repeat(EDGE, axis=1)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, image_format)
    return stream.getvalue()


class Tiles:
    """Makes tiled jobs with files in the store, and runs their chunks."""

    def __init__(self, context: Context, jobs: Jobs, model: Watched) -> None:
        self.context, self.jobs, self.model = context, jobs, model
        self.stopping = threading.Event()

    def job(self, *files: bytes, arrived: bool = False, **columns: Any) -> uuid.UUID:  # noqa: ANN401  # columns of Job
        named = [data + number.to_bytes(4, "big") for number, data in enumerate(files, 1)]
        with self.context.database.begin() as session:
            job = lifecycle.lock_job(session, self.jobs.draft(images=0, tiling="auto"))
            new = [NewImage(name=f"{number}.jpg", size=len(data)) for number, data in enumerate(named, 1)]
            add_images(session, job, new, max_images=100)
            for name, value in columns.items():
                setattr(job, name, value)
            session.flush()
            for number, data in enumerate(named, 1):
                self.context.store.put(upload_key(job.id, number), io.BytesIO(data), size=len(data))
            if arrived:
                sizes = ChunkSizes.of(self.context.settings)
                lifecycle.commit_arrived(session, job.id, self.jobs.classifier.id, sizes=sizes)
            else:
                lifecycle.commit(session, job.id, self.jobs.classifier.id)
            return job.id

    def step(self, pool: str) -> ChunkOutcome | None:
        claim = self.jobs.try_claim(pool=pool)
        if claim is None:
            return None
        return run_chunk(self.context, Lease(claim, self.context.database, self.stopping))

    def run(self) -> None:
        """Run everything that is ready."""
        pools = (ChunkKind.INSPECT, self.jobs.tiles_pool, isolated_pool_of(self.jobs.tiles_pool))
        while [pool for pool in pools if self.step(pool) is not None]:
            pass

    def results(self, job_id: uuid.UUID) -> dict[int, Result]:
        """Read the results; each tiled one has its map, and the sums of that."""
        with self.context.database.begin() as session:
            found = {row.seq: row for row in session.query(Result).filter_by(job_id=job_id)}
            maps = {row.seq: decode(row.map) for row in session.query(TileMapRow).filter_by(job_id=job_id)}
        assert maps.keys() == {seq for seq, row in found.items() if row.tile_sums}
        for seq, answered in maps.items():
            assert TileSums.from_json(found[seq].tile_sums or {}) == sum_up(answered, MANIFEST.labels)
        return found


@pytest.fixture
def classifier(database: Database) -> Classifier:
    with database.begin() as session:
        return registry.register(session, MANIFEST)


@pytest.fixture
def tiles(settings: Settings, database: Database, jobs: Jobs) -> Iterator[Tiles]:
    store = S3Store(settings)
    store.create_bucket()
    model = Watched(MANIFEST)
    unused: object = None
    limits = PictureLimits(tiles=MAX_TILES)
    with Pipeline(
        model, batch_size=4, download_threads=2, decode_threads=2, bytes_in_flight=10**7, limits=limits
    ) as pipeline:
        context = Context(
            settings=settings.model_copy(update={"chunk_tiles": 100, "max_tiles_per_image": MAX_TILES}),
            database=database,
            store=store,
            wakeups=unused,  # type: ignore[arg-type]
            pipelines={jobs.pool: pipeline},
            name="test",
        )
        yield Tiles(context, jobs, model)


def test_photographs_are_answered_by_their_tiles(tiles: Tiles, jobs: Jobs) -> None:
    job_id = tiles.job(picture(0), picture(12), picture(3))
    tiles.run()
    job, found = jobs.get(job_id), tiles.results(job_id)
    assert (job.state, job.work_total, job.work_done) == (JobState.COMPLETED, 144, 144)
    assert [found[seq].label for seq in (1, 2, 3)] == ["healthy", "red", "healthy"]
    assert found[2].tile_sums == {"labels": {"red": 12, "healthy": 36}, "review": {}, "skipped": {}}
    assert found[2].probabilities is None
    assert found[2].confidence is not None
    assert found[2].runtime == "numpy"
    assert job.warnings[0]["code"] == "ground_resolution_unknown"


def test_an_import_is_inspected_where_it_lies(tiles: Tiles, jobs: Jobs) -> None:
    bucket = tiles.context.settings.s3_bucket
    for number, red in enumerate((12, 0)):
        data = picture(red)
        tiles.context.store.put(f"imports-of-tiles/{number}.jpg", io.BytesIO(data), size=len(data))
    job_id = tiles.job(source={"s3": {"bucket": bucket, "prefix": "imports-of-tiles/"}})
    tiles.run()
    job, found = jobs.get(job_id), tiles.results(job_id)
    assert (job.state, job.inspected, job.work_total, job.work_done) == (JobState.COMPLETED, 2, 96, 96)
    assert [found[seq].label for seq in (1, 2)] == ["red", "healthy"]


def test_what_was_leased_in_a_backup_goes_on_in_tiles(tiles: Tiles, jobs: Jobs) -> None:
    job_id = tiles.job(picture(12))
    for _ in range(2):
        tiles.step(ChunkKind.INSPECT)
    assert jobs.try_claim(pool=jobs.tiles_pool) is not None
    with tiles.context.database.begin() as session:
        assert requeue.forget_leases(session) == 1
    tiles.run()
    assert tiles.results(job_id)[1].label == "red"


def test_a_file_that_is_no_picture_fails_with_its_reason_and_holds_nothing_up(tiles: Tiles, jobs: Jobs) -> None:
    job_id = tiles.job(picture(0), b"no picture", picture(1)[:300])
    tiles.run()
    job, found = jobs.get(job_id), tiles.results(job_id)
    assert (job.state, job.succeeded, job.failed) == (JobState.COMPLETED_WITH_ERRORS, 1, 2)
    assert (job.work_total, job.work_done) == (job.work_done, job.work_total)
    assert found[2].error_code == ImageErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("arrived", [True, False])
def test_what_is_too_coarse_is_not_classified_unless_the_job_says_so(
    tiles: Tiles, jobs: Jobs, *, arrived: bool
) -> None:
    job_id = tiles.job(picture(12), ground_resolution_mm=5.0, arrived=arrived)
    tiles.run()
    job, (found,) = jobs.get(job_id), tiles.results(job_id).values()
    assert tiles.model.batches == []
    assert (found.status, found.label, found.review_reason, found.needs_review) == (
        "succeeded",
        None,
        "too_coarse",
        True,
    )
    assert found.tile_sums == {"labels": {}, "review": {}, "skipped": {TileSkip.TOO_COARSE: 48}}
    assert (job.state, job.work_total, job.work_done) == (JobState.COMPLETED, 1, 1)
    assert [one["code"] for one in job.warnings] == ["too_coarse", "nothing_decided"]
    job_id = tiles.job(picture(12), ground_resolution_mm=5.0, on_coarse=OnCoarse.ANSWER, arrived=arrived)
    tiles.run()
    (found,) = tiles.results(job_id).values()
    assert (found.label, found.review_reason, found.needs_review) == ("red", "too_coarse", True)
    assert (jobs.get(job_id).work_total, jobs.get(job_id).work_done) == (48, 48)


def test_a_photograph_that_comes_alone_is_one_chunk_and_its_head_is_read_on_the_way(tiles: Tiles, jobs: Jobs) -> None:
    job_id = tiles.job(picture(12), arrived=True)
    assert tiles.step(jobs.tiles_pool) is ChunkOutcome.FINISHED
    job = jobs.get(job_id)
    assert (job.state, job.inspected, job.work_total, job.work_done) == (JobState.COMPLETED, 1, 48, 48)
    with tiles.context.database.begin() as session:
        head = session.get_one(ImageHead, (job_id, 1))
    assert (head.width, head.height, head.tiles) == (COLUMNS * EDGE, ROWS * EDGE, 48)
    assert tiles.results(job_id)[1].label == "red"


def test_tiles_in_millimetres_need_a_ground_resolution(tiles: Tiles) -> None:
    alone = tiles.job(picture(12), tiling={"edge_mm": 16.0, "overlap": 0.0}, arrived=True)
    set_of_two = tiles.job(picture(12), picture(1), tiling={"edge_mm": 16.0, "overlap": 0.0})
    known = tiles.job(picture(12), tiling={"edge_mm": 16.0, "overlap": 0.0}, ground_resolution_mm=0.5)
    tiles.run()
    (found,) = tiles.results(alone).values()
    assert (found.status, found.error_code) == ("failed", "ground_resolution_unknown")
    assert {(row.status, row.error_code) for row in tiles.results(set_of_two).values()} == {
        ("rejected", "ground_resolution_unknown")
    }
    assert tiles.results(known)[1].tile_sums == {"labels": {"red": 12, "healthy": 36}, "review": {}, "skipped": {}}


def test_too_many_tiles_are_refused_with_numbers(tiles: Tiles) -> None:
    large = picture(0, columns=20, rows=11)
    alone, set_of_two = tiles.job(large, arrived=True), tiles.job(large, picture(0))
    tiles.run()
    for row in (tiles.results(alone)[1], tiles.results(set_of_two)[1]):
        assert row.error_code == "too_many_tiles"
        assert "220 tiles" in str(row.error_detail)
    assert tiles.results(set_of_two)[2].label == "healthy"


def test_an_odd_picture_goes_to_the_isolated_slot_and_comes_back_in_tiles(tiles: Tiles, jobs: Jobs) -> None:
    job_id = tiles.job(picture(12), picture(20, image_format="WEBP"))
    tiles.run()
    job, found = jobs.get(job_id), tiles.results(job_id)
    assert (job.state, job.work_done) == (JobState.COMPLETED, 96)
    assert [found[seq].label for seq in (1, 2)] == ["red", "red"]


def test_a_stop_is_obeyed_between_two_batches_inside_a_photograph(tiles: Tiles, jobs: Jobs) -> None:
    job_id = tiles.job(picture(12))
    for _ in range(2):
        tiles.step(ChunkKind.INSPECT)

    def stop(batches: int) -> None:
        if batches == 3:
            tiles.stopping.set()

    tiles.model.before = stop
    assert tiles.step(jobs.tiles_pool) is ChunkOutcome.HANDED_BACK
    assert len(tiles.model.batches) == 4, "of twelve"
    assert tiles.results(job_id) == {}
    tiles.stopping.clear()
    tiles.model.before = lambda _: None
    tiles.run()
    assert jobs.get(job_id).state == JobState.COMPLETED
    assert tiles.results(job_id)[1].label == "red"


def test_a_cancel_is_obeyed_between_two_batches_inside_a_photograph(
    tiles: Tiles, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.leasing.leases.PROBE_SECONDS", 0.0)
    job_id = tiles.job(picture(12), picture(1))
    for _ in range(2):
        tiles.step(ChunkKind.INSPECT)

    def cancel(batches: int) -> None:
        if batches == 2:
            with tiles.context.database.begin() as session:
                lifecycle.cancel(session, job_id)

    tiles.model.before = cancel
    assert tiles.step(jobs.tiles_pool) is ChunkOutcome.CANCELED
    assert len(tiles.model.batches) == 3
    job = jobs.get(job_id)
    assert (job.state, job.canceled, job.work_done, job.work_total) == (JobState.CANCELED, 2, 96, 96)
    assert {row.status for row in tiles.results(job_id).values()} == {"canceled"}


def test_a_photograph_of_many_batches_looks_alive_to_the_watchdog(tiles: Tiles, jobs: Jobs) -> None:
    tiles.job(picture(12))
    for _ in range(2):
        tiles.step(ChunkKind.INSPECT)
    claim = jobs.try_claim(pool=jobs.tiles_pool)
    assert claim is not None
    lease = Lease(claim, tiles.context.database, tiles.stopping)
    silences: list[float] = []

    def note(_: int) -> None:
        silences.append(lease.stuck_seconds)
        lease._progress_at -= 1000  # as if each batch took so long

    tiles.model.before = note
    assert run_chunk(tiles.context, lease) is ChunkOutcome.FINISHED
    assert len(silences) == 12
    assert max(silences) < 1000


def test_the_pools_of_a_classifier_lead_to_its_pipeline(tiles: Tiles, jobs: Jobs) -> None:
    whole = tiles.job(picture(12), tiling=None)
    assert tiles.step(ChunkKind.VALIDATE) is ChunkOutcome.FINISHED
    assert jobs.try_claim(pool=tiles_pool_of(jobs.pool)) is None
    assert tiles.step(jobs.pool) is ChunkOutcome.FINISHED
    (found,) = tiles.results(whole).values()
    assert (found.tile_sums, found.label) == (None, "healthy")
    assert found.probabilities is not None
