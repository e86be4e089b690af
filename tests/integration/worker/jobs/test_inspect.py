"""Inspection on a real object store: sizes, poses and plans of tiles are known before anything is classified."""

import io
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image as Pillow
from sqlalchemy import text

from shared.contracts.geography import PositionFault
from shared.contracts.manifest import Manifest, ManifestTiling
from shared.contracts.pose import Pose
from shared.contracts.states import ChunkKind, JobState
from shared.db.models import Chunk, Classifier, ImageHead, Job, Result
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs.heads import KnownHead, known_heads
from shared.jobs.images import NewImage, add_images
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.integration.conftest import MANIFEST
from tests.integration.jobs.factory import Jobs
from worker.context import Context
from worker.leasing import leases
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome
from worker.loop.chunk import run_chunk

MAX_TILES = 100
MANY = 600


class WatchedStore(S3Store):
    """The store, and something that happens when a part of a file was read from it."""

    on_read: Callable[[int], object] = staticmethod(lambda _: None)

    def get_range(self, key: str, *, bucket: str | None = None, start: int, length: int) -> bytes:
        read = super().get_range(key, bucket=bucket, start=start, length=length)
        self.on_read(len(read))
        return read


@pytest.fixture
def context(settings: Settings, database: Database) -> Context:
    """What an inspection uses of a worker; it needs no classifier and no pipeline."""
    store = WatchedStore(settings)
    store.create_bucket()
    return context_of(settings, database, store)


def context_of(settings: Settings, database: Database, store: S3Store) -> Context:
    unused: object = None
    return Context(
        settings=settings.model_copy(update={"max_tiles_per_image": MAX_TILES}),
        database=database,
        store=store,
        wakeups=unused,  # type: ignore[arg-type]
        pipelines={},
        name="test",
    )


def photograph(width: int = 640, height: int = 480, *, metres: float | None = None, orientation: int = 1) -> bytes:
    """A JPEG as a drone writes it: 24 mm in 35 mm film, looking down from so many metres above its take-off."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0xA405] = 24
    packet = f'<x:xmpmeta xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:RelativeAltitude="{metres}"/>'
    stream = io.BytesIO()
    extra = {} if metres is None else {"xmp": packet.encode()}
    Pillow.new("RGB", (width, height), "green").save(stream, "JPEG", exif=exif, **extra)
    return stream.getvalue()


class Tiled:
    """Makes a tiled job with files in the store, and inspects it."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self.context, self.jobs = context, jobs

    def learn(self, tiling: ManifestTiling) -> None:
        with self.context.database.begin() as session:
            known = session.get_one(Classifier, self.jobs.classifier.id)
            known.tiling = Manifest.model_validate({**MANIFEST.model_dump(), "tiling": tiling}).model_dump(mode="json")[
                "tiling"
            ]

    def job(self, *files: bytes, heights: dict[int, float] | None = None, **columns: Any) -> uuid.UUID:  # noqa: ANN401
        """A committed job; bytes behind each picture make the files differ from each other."""
        files = tuple(data + seq.to_bytes(4, "big") for seq, data in enumerate(files, 1))
        with self.context.database.begin() as session:
            job_id = self.jobs.draft(images=0)
            job = lifecycle.lock_job(session, job_id)
            heights = heights or {}
            named = [
                NewImage(name=f"{n}.jpg", size=len(data), height_above_ground=heights.get(n))
                for n, data in enumerate(files, 1)
            ]
            add_images(session, job, named, max_images=MANY)
            for name, value in {"tiling": {"edge": 64, "overlap": 0.0}, **columns}.items():
                setattr(job, name, value)
            session.flush()
            lifecycle.commit(session, job_id, self.jobs.classifier.id)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: self._put(job_id, *one), enumerate(files, 1)))
        return job_id

    def _put(self, job_id: uuid.UUID, seq: int, data: bytes) -> None:
        self.context.store.put(upload_key(job_id, seq), io.BytesIO(data), size=len(data))

    def step(self, *, stopping: threading.Event | None = None) -> ChunkOutcome:
        """Run the next chunk of validation or inspection, in the same pool."""
        claim = self.jobs.claim_kind(ChunkKind.INSPECT)
        return run_chunk(self.context, Lease(claim, self.context.database, stopping or threading.Event()))

    def inspected(self, *files: bytes, **how: Any) -> uuid.UUID:  # noqa: ANN401
        job_id = self.job(*files, **how)
        assert [self.step(), self.step()] == [ChunkOutcome.FINISHED] * 2
        return job_id

    def on_read(self, happens: Callable[[int], object]) -> None:
        assert isinstance(self.context.store, WatchedStore)
        self.context.store.on_read = happens

    def reads(self) -> list[int]:
        """The bytes of each read of the store from now on."""
        lengths: list[int] = []
        self.on_read(lengths.append)
        return lengths

    def heads(self, job_id: uuid.UUID) -> dict[int, ImageHead]:
        with self.context.database.begin() as session:
            return {head.seq: head for head in session.query(ImageHead).filter_by(job_id=job_id)}

    def refused(self, job_id: uuid.UUID) -> dict[int, tuple[str | None, str | None]]:
        with self.context.database.begin() as session:
            return {r.seq: (r.error_code, r.error_detail) for r in session.query(Result).filter_by(job_id=job_id)}

    def warnings(self, job_id: uuid.UUID) -> dict[str, str]:
        return {one["code"]: one["detail"] for one in self.jobs.get(job_id).warnings}


@pytest.fixture
def tiled(context: Context, jobs: Jobs) -> Tiled:
    return Tiled(context, jobs)


def test_sizes_poses_and_tiles_are_known_before_the_work(tiled: Tiled) -> None:
    job_id = tiled.inspected(photograph(metres=10), photograph(640, 480, orientation=6), b"\xff\xd8no picture")
    heads = tiled.heads(job_id)
    first, turned, damaged = (heads[seq] for seq in (1, 2, 3))
    assert (first.width, first.height, first.orientation, first.edge, first.tiles) == (640, 480, 1, 64, 80)
    assert first.pose == {
        "position_fault": "no_position",
        "focal_length_35mm": 24.0,
        "relative_altitude_m": 10.0,
    }
    assert first.ground_resolution_mm == pytest.approx(10_000 / (24 / 43.2666 * 800), rel=1e-4)
    assert first.ground_resolution_source == "file"
    assert (turned.width, turned.height, turned.orientation, turned.tiles) == (640, 480, 6, 80)
    assert (damaged.width, damaged.height, damaged.tiles, damaged.pose) == (
        None,
        None,
        1,
        {"position_fault": "no_metadata"},
    )
    job = tiled.jobs.get(job_id)
    assert (job.state, job.inspected, job.work_total, tiled.refused(job_id)) == (JobState.QUEUED, 3, 161, {})


def test_an_object_that_is_gone_is_no_fault_of_the_inspection(tiled: Tiled) -> None:
    job_id = tiled.job(photograph(), photograph())
    assert tiled.step() is ChunkOutcome.FINISHED
    tiled.context.store.delete([upload_key(job_id, 2)])
    assert tiled.step() is ChunkOutcome.FINISHED
    assert {seq: head.width for seq, head in tiled.heads(job_id).items()} == {1: 640, 2: None}
    assert tiled.jobs.get(job_id).state == JobState.QUEUED


def test_a_photograph_of_too_many_tiles_is_refused_in_words(tiled: Tiled) -> None:
    job_id = tiled.inspected(photograph(), photograph(704, 704))
    detail = (
        "the photograph of 704 x 704 pixels has 121 tiles of 64 pixels, at most 100 are allowed "
        "(PHYTOBATCH_MAX_TILES_PER_IMAGE); take larger tiles"
    )
    assert tiled.refused(job_id) == {2: ("too_many_tiles", detail)}
    assert tiled.jobs.get(job_id).work_total == 80
    pose = Pose(position_fault=PositionFault.NO_POSITION, focal_length_35mm=24.0)
    with tiled.context.database.begin() as session:
        known = known_heads(session, job_id, first_seq=1, last_seq=1)
    assert known == {1: KnownHead(1, 640, 480, 1, 64, 80, is_too_coarse=False, pose=pose)}


def test_a_picture_of_too_many_pixels_is_left_to_its_decoder(tiled: Tiled) -> None:
    """It was told to take larger tiles."""
    huge = bytearray(photograph())
    frame = huge.index(b"\xff\xc0") + 5  # height and width of the frame (ITU T.81, B.2.2)
    huge[frame : frame + 4] = b"\xff\x00\xff\x00"
    job_id = tiled.inspected(photograph(), bytes(huge))
    assert tiled.refused(job_id) == {}
    assert {seq: (head.width, head.tiles) for seq, head in tiled.heads(job_id).items()} == {1: (640, 80), 2: (None, 1)}


def test_tiles_in_millimetres_follow_each_photograph(tiled: Tiled) -> None:
    millimetres = {"edge_mm": 2000.0, "overlap": 0.0}
    low, high, unknown = photograph(metres=10), photograph(metres=15), photograph()
    job_id = tiled.inspected(low, high, unknown, unknown, heights={4: 5.0}, tiling=millimetres)
    heads = tiled.heads(job_id)
    assert {seq: (head.edge, head.ground_resolution_source) for seq, head in heads.items()} == {
        1: (89, "file"),
        2: (59, "file"),
        3: (None, None),
        4: (178, "sidecar"),
    }
    ((code, detail),) = tiled.refused(job_id).values()
    assert code == "ground_resolution_unknown"
    assert detail == (
        "tiles of 2000 mm need the ground resolution of a photograph, and nothing says how high above the ground the "
        "camera was; send ground_resolution_mm with the job, or a height_above_ground for each photograph"
    )


def test_the_client_may_say_the_ground_resolution_of_all_photographs(tiled: Tiled) -> None:
    job_id = tiled.inspected(
        photograph(metres=10), b"BM", tiling={"edge_mm": 80.0, "overlap": 0.0}, ground_resolution_mm=1.25
    )
    heads = tiled.heads(job_id)
    assert {(h.edge, h.ground_resolution_mm, h.ground_resolution_source) for h in heads.values()} == {(64, 1.25, "job")}


@pytest.mark.parametrize("on_coarse", ["skip", "answer"])
def test_a_coarse_photograph_is_known_before_the_work(tiled: Tiled, on_coarse: str) -> None:
    tiled.learn(ManifestTiling(edge=64, ground_resolution_mm=(0.1, 9.0)))
    job_id = tiled.inspected(
        photograph(metres=3), photograph(metres=10), photograph(metres=12), photograph(), tiling="auto",
        on_coarse=on_coarse,
    )  # fmt: skip
    heads = tiled.heads(job_id)
    expected = {"skip": (80, 1, 1, 80), "answer": (80,) * 4}[on_coarse]
    assert tuple(heads[seq].tiles for seq in (1, 2, 3, 4)) == expected
    assert [heads[seq].is_too_coarse for seq in (1, 2, 3, 4)] == [False, True, True, False]
    what = {
        "skip": "they are not classified, and count as undecided",
        "answer": "they are classified all the same, and each asks for a review",
    }[on_coarse]
    assert tiled.warnings(job_id) == {
        "too_coarse": "2 of 4 photographs are coarser (22.5 to 27 mm a pixel) than the 9 mm that leaf 1 reads; "
        f"{what}. From 3.0 times closer all of them could be read",
        "ground_resolution_unknown": "1 of 4 photographs do not say how large their pixels are on the plant or the "
        "ground, and are classified unchecked; leaf 1 reads pixels of up to 9 mm. Send ground_resolution_mm with "
        "the job, or a height_above_ground for each photograph",
    }


def test_each_head_of_several_chunks_is_one_request(tiled: Tiled) -> None:
    reads = tiled.reads()
    job_id = tiled.job(*[photograph(metres=10)] * MANY)
    assert tiled.step() is ChunkOutcome.FINISHED
    for inspected in (500, MANY):
        assert tiled.step() is ChunkOutcome.FINISHED
        assert tiled.jobs.get(job_id).inspected == inspected
    assert len(reads) == MANY
    assert sum(reads) < MANY * 64 * 1024
    job = tiled.jobs.get(job_id)
    assert (job.state, job.work_total, job.inspected) == (JobState.QUEUED, 80 * MANY, MANY)


def test_a_stop_hands_an_inspection_back_with_nothing_half_stored(tiled: Tiled) -> None:
    stopping = threading.Event()
    job_id = tiled.job(*[photograph()] * 60)
    assert tiled.step() is ChunkOutcome.FINISHED
    tiled.on_read(lambda _: stopping.set())
    assert tiled.step(stopping=stopping) is ChunkOutcome.HANDED_BACK
    assert tiled.heads(job_id) == {}
    with tiled.context.database.begin() as session:
        (chunk,) = session.query(Chunk).filter_by(job_id=job_id, kind=ChunkKind.INSPECT)
        assert (chunk.state, chunk.attempt) == ("ready", 0)
    assert tiled.step() is ChunkOutcome.FINISHED
    assert len(tiled.heads(job_id)) == 60


def test_a_cancel_ends_an_inspection(tiled: Tiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "PROBE_SECONDS", 0.0)
    job_id = tiled.job(*[photograph()] * 60)
    assert tiled.step() is ChunkOutcome.FINISHED

    def cancel(_: int) -> None:
        with tiled.context.database.begin() as session:
            lifecycle.cancel(session, job_id)

    tiled.on_read(cancel)
    assert tiled.step() is ChunkOutcome.CANCELED
    assert (tiled.heads(job_id), tiled.jobs.get(job_id).state) == ({}, JobState.CANCELED)


def test_an_inspection_waits_while_the_store_is_away(
    tiled: Tiled, settings: Settings, database: Database, jobs: Jobs
) -> None:
    job_id = tiled.job(photograph())
    tiled.job(photograph())
    assert tiled.step() is ChunkOutcome.FINISHED
    away = S3Store(settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"}))
    assert Tiled(context_of(settings, database, away), jobs).step() is ChunkOutcome.HANDED_BACK
    with database.begin() as session:
        assert session.scalar(text("SELECT count(*) FROM image_heads")) == 0
        states = session.execute(text("SELECT state FROM jobs WHERE id = :id"), {"id": job_id}).scalar_one()
    assert states == JobState.VALIDATING


def test_a_retry_reads_no_head_again(tiled: Tiled) -> None:
    """A chunk that is taken over reads what is not stored yet."""
    job_id = tiled.job(photograph(), photograph())
    assert tiled.step() is ChunkOutcome.FINISHED
    with tiled.context.database.begin() as session:
        session.execute(
            text("INSERT INTO image_heads (job_id, seq, width, height) VALUES (:job, 1, 7, 7)"), {"job": job_id}
        )
    reads = tiled.reads()
    assert tiled.step() is ChunkOutcome.FINISHED
    assert len(reads) == 1
    assert {seq: head.width for seq, head in tiled.heads(job_id).items()} == {1: 7, 2: 640}
    assert isinstance(tiled.jobs.get(job_id), Job)
