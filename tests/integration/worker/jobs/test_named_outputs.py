"""Crop and embedding through the runner of a chunk, on a real store and database."""

import io
import threading
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image as Pillow

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Crop, Manifest, ManifestTiling
from shared.contracts.outputs import EMBEDDING_LENGTH, ModelOutputs
from shared.contracts.states import ChunkKind
from shared.db.models import Classifier, Result
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs.cut import ChunkSizes
from shared.jobs.images import NewImage, add_images
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
COLOURS = {1: (230, 20, 20), 2: (20, 230, 20)}
PLAIN = Manifest(
    name="colours",
    version="1",
    sha256="0" * 64,
    classes=(ClassLabel(id="red"), ClassLabel(id="healthy"), ClassLabel(id="blue")),
    input_size=(8, 8),
    tiling=ManifestTiling(edge=EDGE, report_from=0.2, min_tiles=1),
)
NAMED = Manifest(
    **{
        **PLAIN.model_dump(),
        "name": "named",
        "schema_version": 2,
        "outputs": ModelOutputs(embedding="embedding", crop="crop"),
        "crops": (Crop(id="poppy"), Crop(id="bean")),
    }
)


def picture(colour: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    Pillow.new("RGB", (2 * EDGE, EDGE), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(params=[NAMED, PLAIN], ids=["named", "plain"])
def manifest(request: pytest.FixtureRequest) -> Manifest:
    chosen: Manifest = request.param
    return chosen


@pytest.fixture
def classifier(database: Database, manifest: Manifest) -> Classifier:
    with database.begin() as session:
        return registry.register(session, manifest)


@pytest.fixture
def context(settings: Settings, database: Database, jobs: Jobs, manifest: Manifest) -> Iterator[Context]:
    store = S3Store(settings)
    store.create_bucket()
    unused: object = None
    with Pipeline(
        ColourClassifier(manifest), batch_size=4, download_threads=2, decode_threads=2, bytes_in_flight=10**7
    ) as pipeline:
        yield Context(
            settings=settings,
            database=database,
            store=store,
            wakeups=unused,  # type: ignore[arg-type]
            pipelines={jobs.pool: pipeline},
            name="test",
        )


def results(context: Context, jobs: Jobs, *, tiling: str | None = None) -> list[Result]:
    """The stored answers for a red and a green photograph."""
    with context.database.begin() as session:
        job = lifecycle.lock_job(session, jobs.draft(images=0))
        job.tiling = tiling
        files = {seq: picture(colour) for seq, colour in COLOURS.items()}
        add_images(session, job, [NewImage(name=f"{n}.png", size=len(d)) for n, d in files.items()], max_images=10)
        session.flush()
        for seq, data in files.items():
            context.store.put(upload_key(job.id, seq), io.BytesIO(data), size=len(data))
        lifecycle.commit_arrived(session, job.id, jobs.classifier.id, sizes=ChunkSizes.of(context.settings))
        job_id: uuid.UUID = job.id
    for pool in (ChunkKind.INSPECT, jobs.tiles_pool) if tiling else (jobs.pool,):
        claim = jobs.try_claim(pool=pool)
        assert claim is not None
        assert run_chunk(context, Lease(claim, context.database, threading.Event())) is ChunkOutcome.FINISHED
    with context.database.begin() as session:
        return [session.get_one(Result, (job_id, seq)) for seq in COLOURS]


def test_photographs_get_what_the_classifier_names(context: Context, jobs: Jobs, manifest: Manifest) -> None:
    red, green = results(context, jobs)
    assert (red.label, green.label) == ("red", "healthy")
    if manifest is PLAIN:
        assert {(one.crop, one.embedding) for one in (red, green)} == {(None, None)}
        return
    assert (red.crop, green.crop) == ("poppy", "bean")
    for one, colour in zip((red, green), COLOURS.values(), strict=True):
        assert one.embedding is not None
        assert len(one.embedding) == EMBEDDING_LENGTH
        expected = [round(127 * value / 255) for value in colour]
        assert np.frombuffer(one.embedding, np.int8)[:4].tolist() == [*expected, 0]


@pytest.mark.parametrize("manifest", [NAMED], indirect=True)
def test_photographs_in_tiles_have_neither(context: Context, jobs: Jobs) -> None:
    for one in results(context, jobs, tiling="auto"):
        assert (one.label is None, one.crop, one.embedding) == (False, None, None)
