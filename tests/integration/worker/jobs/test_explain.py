"""Explanations through their runners, on a real store: of whole photographs with the result, of a tile when asked."""

import io
import threading
import uuid
from collections.abc import Iterator

import pytest
from PIL import Image as Pillow
from sqlalchemy import text

from shared.classifiers import registry
from shared.contracts.explanations import cells_of
from shared.contracts.manifest import ClassLabel, Manifest, ManifestTiling
from shared.contracts.outputs import ModelOutputs
from shared.contracts.states import ChunkKind, ImageErrorCode, JobState
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Chunk, Classifier, Job, Result, TileExplanation
from shared.db.session import Database
from shared.errors import Conflict, InvalidRequest, NoExplanation
from shared.jobs import explanations, lifecycle
from shared.jobs.chunks import explain_pool_of
from shared.jobs.cut import ChunkSizes
from shared.jobs.explanations import Asked
from shared.jobs.images import NewImage, add_images
from shared.jobs.sweep import CrashPolicy, sweep
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.integration.jobs.factory import Jobs
from tests.unit.inference.colours import ColourClassifier
from worker.context import Context
from worker.inference.pipeline import Pipeline
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome
from worker.loop.chunk import run_chunk

EDGE = 32
SEQ = 1
PLAIN = Manifest(
    name="colours",
    version="1",
    sha256="0" * 64,
    classes=(ClassLabel(id="red"), ClassLabel(id="healthy"), ClassLabel(id="blue")),
    input_size=(8, 8),
    tiling=ManifestTiling(edge=EDGE, report_from=0.2, min_tiles=1),
)
WITH_MAP = Manifest(
    **{**PLAIN.model_dump(), "name": "mapped", "schema_version": 2, "outputs": ModelOutputs(map="map", map_size=(2, 2))}
)
POLICY = CrashPolicy(isolate_after=2, fail_after=3)


def spotted(columns: int = 2) -> bytes:
    """Green tiles, the first of which has a red left half and more."""
    image = Pillow.new("RGB", (columns * EDGE, EDGE), (20, 230, 20))
    image.paste((230, 20, 20), (0, 0, EDGE // 2, EDGE))
    image.paste((230, 20, 20), (0, 0, EDGE, EDGE // 2))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


class Explained:
    """Makes jobs of one photograph, and runs their chunks."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self.context, self.jobs = context, jobs
        self.stopping = threading.Event()

    def job(self, data: bytes, **columns: object) -> uuid.UUID:
        with self.context.database.begin() as session:
            job = lifecycle.lock_job(session, self.jobs.draft(images=0))
            for name, value in columns.items():
                setattr(job, name, value)
            add_images(session, job, [NewImage(name="a.png", size=len(data))], max_images=10)
            session.flush()
            self.context.store.put(upload_key(job.id, SEQ), io.BytesIO(data), size=len(data))
            sizes = ChunkSizes.of(self.context.settings)
            lifecycle.commit_arrived(session, job.id, self.jobs.classifier.id, sizes=sizes)
            return job.id

    def step(self, pool: str) -> ChunkOutcome | None:
        claim = self.jobs.try_claim(pool=pool)
        return None if claim is None else run_chunk(self.context, Lease(claim, self.context.database, self.stopping))

    def answered(self, data: bytes, **columns: object) -> uuid.UUID:
        """A job that is over."""
        job_id = self.job(data, **columns)
        pool = self.jobs.tiles_pool if columns.get("tiling") else self.jobs.pool
        assert self.step(pool) is ChunkOutcome.FINISHED
        return job_id

    def ask(self, job_id: uuid.UUID, tile: int) -> Asked:
        with self.context.database.begin() as session:
            return explanations.ask(session, session.get_one(Job, job_id).tenant_id, job_id, SEQ, tile)

    @property
    def pool(self) -> str:
        return explain_pool_of(self.jobs.pool)

    def result(self, job_id: uuid.UUID) -> Result:
        with self.context.database.begin() as session:
            return session.get_one(Result, (job_id, SEQ))

    def left(self, job_id: uuid.UUID) -> tuple[int, int]:
        """Requests, and chunks of them."""
        with self.context.database.begin() as session:
            requests = session.query(TileExplanation).filter_by(job_id=job_id).count()
            chunks = session.query(Chunk).filter_by(job_id=job_id, kind=ChunkKind.EXPLAIN).count()
            return requests, chunks


@pytest.fixture
def manifest(request: pytest.FixtureRequest) -> Manifest:
    """Of the classifier; a test may choose another."""
    chosen: Manifest = getattr(request, "param", WITH_MAP)
    return chosen


@pytest.fixture
def classifier(database: Database, manifest: Manifest) -> Classifier:
    with database.begin() as session:
        return registry.register(session, manifest)


@pytest.fixture
def explained(settings: Settings, database: Database, jobs: Jobs, manifest: Manifest) -> Iterator[Explained]:
    store = S3Store(settings)
    store.create_bucket()
    unused: object = None
    model = ColourClassifier(manifest)
    with Pipeline(model, batch_size=4, download_threads=2, decode_threads=2, bytes_in_flight=10**7) as pipeline:
        context = Context(
            settings=settings,
            database=database,
            store=store,
            wakeups=unused,  # type: ignore[arg-type]
            pipelines={jobs.pool: pipeline},
            name="test",
        )
        yield Explained(context, jobs)


def warnings(job: Job) -> dict[str, str]:
    return {one["code"]: one["detail"] for one in job.warnings}


def test_a_result_carries_its_explanation_where_the_job_asks(explained: Explained, jobs: Jobs) -> None:
    asked = explained.answered(spotted(1), explain=True)
    silent = explained.answered(spotted(1))
    found = explained.result(asked)
    assert (found.label, found.explanation) == ("red", b"\x02\xff\xff\xff\x00")
    assert explained.result(silent).explanation is None
    assert jobs.get(asked).warnings == []


@pytest.mark.parametrize("manifest", [PLAIN], indirect=True)
def test_a_classifier_without_a_map_answers_as_before_and_the_job_says_so(explained: Explained, jobs: Jobs) -> None:
    job_id = explained.answered(spotted(1), explain=True)
    job, found = jobs.get(job_id), explained.result(job_id)
    assert (job.state, found.label, found.explanation) == (JobState.COMPLETED, "red", None)
    assert "colours 1 gives no map" in warnings(job)[WarningCode.NO_EXPLANATION]


def test_a_job_with_tiles_is_told_to_ask_for_one(explained: Explained, jobs: Jobs) -> None:
    job_id = explained.answered(spotted(), explain=True, tiling="auto")
    assert explained.result(job_id).explanation is None
    assert "/tiles/TILE/explanation" in warnings(jobs.get(job_id))[WarningCode.NO_EXPLANATION]


def test_a_tile_is_explained_when_asked_and_nothing_stays(explained: Explained, jobs: Jobs) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    before = jobs.get(job_id)
    first = explained.ask(job_id, 0)
    assert (first.is_over, first.label, first.box) == (False, "red", (0, 0, EDGE, EDGE))
    assert not explained.ask(job_id, 0).is_over
    assert not explained.ask(job_id, 1).is_over
    assert explained.left(job_id) == (2, 1)  # two tiles of a photograph are one chunk
    assert explained.step(explained.pool) is ChunkOutcome.FINISHED
    found = [explained.ask(job_id, tile).explanation for tile in (0, 1)]
    assert [None if one is None else cells_of(one) for one in found] == [
        [[255, 255], [255, 0]],
        [[255, 255], [255, 255]],
    ]
    after = jobs.get(job_id)
    assert (after.state, after.open_chunks, after.succeeded) == (before.state, 0, 1)
    assert after.revision > before.revision  # wakes whoever waits
    _later(explained.context.database)
    assert sweep(explained.context.database, POLICY).explanations == 2
    assert explained.left(job_id) == (0, 0)


def test_a_new_request_while_one_runs_gets_a_chunk_of_its_own(explained: Explained, jobs: Jobs) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    explained.ask(job_id, 0)
    claim = jobs.try_claim(pool=explained.pool)
    assert claim is not None
    with explained.context.database.begin() as session:
        assert explanations.read_requests(session, claim).tiles == [0]
    explained.ask(job_id, 1)
    found = {0: explanations.Explained(b"\x01\xff")}
    for _ in range(2):  # A commit whose answer was lost is repeated.
        with explained.context.database.begin() as session:
            explanations.finish(session, claim, found)
    assert explained.ask(job_id, 0).explanation == b"\x01\xff"
    assert not explained.ask(job_id, 1).is_over
    assert explained.step(explained.pool) is ChunkOutcome.FINISHED
    assert explained.ask(job_id, 1).is_over


def test_what_cannot_be_explained_is_refused_in_words(explained: Explained) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    with pytest.raises(InvalidRequest, match="image 1 has 2 tiles, from 0 on; there is no tile 2"):
        explained.ask(job_id, 2)
    coarse = explained.answered(spotted(), tiling="auto", ground_resolution_mm=5.0)
    assert explained.result(coarse).label is not None  # the manifest names no range: it is classified
    assert explained.left(job_id) == (0, 0)


@pytest.mark.parametrize("manifest", [PLAIN], indirect=True)
def test_a_tile_of_a_classifier_without_a_map_is_not_explained(explained: Explained) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    with pytest.raises(NoExplanation, match="colours 1 gives no map"):
        explained.ask(job_id, 0)


def test_a_photograph_that_retention_removed_is_not_explained(explained: Explained) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    explained.ask(job_id, 0)
    with explained.context.database.begin() as session:
        session.execute(text("UPDATE jobs SET originals_removed_at = now() WHERE id = :id"), {"id": job_id})
    with pytest.raises(Conflict, match="were removed at") as raised:
        explained.ask(job_id, 1)
    assert raised.value.code == "originals-removed"
    assert explained.step(explained.pool) is ChunkOutcome.FINISHED  # asked before the removal
    assert explained.ask(job_id, 0).error_code is ImageErrorCode.OBJECT_MISSING


def test_an_object_that_is_gone_or_replaced_is_named(explained: Explained) -> None:
    gone = explained.answered(spotted(), tiling="auto")
    explained.context.store.delete([upload_key(gone, SEQ)])
    explained.ask(gone, 0)
    assert explained.step(explained.pool) is ChunkOutcome.FINISHED
    assert explained.ask(gone, 0).error_code is ImageErrorCode.OBJECT_MISSING
    other = explained.answered(spotted(), tiling="auto")
    data = spotted(3)
    explained.context.store.put(upload_key(other, SEQ), io.BytesIO(data), size=len(data))
    explained.ask(other, 0)
    assert explained.step(explained.pool) is ChunkOutcome.FINISHED
    assert explained.ask(other, 0).error_code is ImageErrorCode.SIZE_MISMATCH


def test_a_request_that_ends_its_worker_each_time_is_given_up(explained: Explained, jobs: Jobs) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    explained.ask(job_id, 0)
    for _ in range(POLICY.fail_after):
        assert jobs.try_claim(pool=explained.pool, lease_seconds=-1) is not None
        assert sweep(explained.context.database, POLICY).leases == 1
    asked = explained.ask(job_id, 0)
    assert asked.error_code is ImageErrorCode.WORKER_CRASHED
    job = jobs.get(job_id)
    assert (job.state, job.open_chunks) == (JobState.COMPLETED, 0)
    assert jobs.try_claim(pool=explained.pool) is None


def test_a_job_that_is_canceled_meanwhile_ends_and_is_explained_all_the_same(explained: Explained, jobs: Jobs) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    explained.ask(job_id, 0)
    with explained.context.database.begin() as session:
        session.execute(text("UPDATE jobs SET state = 'running' WHERE id = :id"), {"id": job_id})
    with explained.context.database.begin() as session:
        lifecycle.cancel(session, job_id)
    job = jobs.get(job_id)
    assert (job.state, job.open_chunks) == (JobState.CANCELED, 0)
    assert not explained.ask(job_id, 0).is_over
    assert explained.step(explained.pool) is ChunkOutcome.FINISHED
    assert explained.ask(job_id, 0).explanation is not None


def test_a_deleted_job_is_not_explained_any_more(explained: Explained) -> None:
    job_id = explained.answered(spotted(), tiling="auto")
    explained.ask(job_id, 0)
    with explained.context.database.begin() as session:
        lifecycle.delete(session, job_id)
    assert explained.step(explained.pool) is ChunkOutcome.LEASE_LOST


def _later(database: Database) -> None:
    """Let the time pass after which answers are forgotten."""
    with database.begin() as session:
        session.execute(
            text("UPDATE tile_explanations SET asked_at = asked_at - CAST(:keep AS interval)"),
            {"keep": explanations.KEEP},
        )
