"""A worker's hands without its eyes: chunks are claimed and finished by the real functions, with the test's answers."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select, text

from shared.contracts.explanations import pack
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus, Priority
from shared.db.models import Classifier, Job
from shared.db.session import Database
from shared.jobs import claims, explanations
from shared.jobs.chunks import explain_pool_of, pool_of, tiles_pool_of
from shared.jobs.claims import Claim, Offer
from shared.jobs.explanations import Explained
from shared.jobs.results import NewResult
from shared.limits.quotas import UNLIMITED
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from tests.integration.conftest import Api
from tests.integration.jobs.factory import sizes
from tests.integration.tiled_jobs import answered

Classify = Callable[[int], NewResult]


def rust(seq: int) -> NewResult:
    """The answer "rust", rather sure."""
    return NewResult(
        seq=seq,
        status=ImageStatus.SUCCEEDED,
        label="rust",
        confidence=0.9,
        probabilities=(0.04, 0.06, 0.9),
        needs_review=False,
        runtime="numpy 2",
    )


def truncated(seq: int) -> NewResult:
    """An image that ends too early."""
    return NewResult(
        seq=seq,
        status=ImageStatus.FAILED,
        error_code=ImageErrorCode.TRUNCATED,
        error_detail="the file ends in the middle of the picture",
    )


# Two rows of three tiles: what each of them says.
TILES = (
    Tile(2, 0.9),
    Tile(0, 0.95),
    Tile(2, 0.8),
    Tile(0, 0.5, ReviewReason.LOW_CONFIDENCE),
    Tile(1, 0.75, ReviewReason.NOT_A_LEAF),
    Tile(0, 0.99),
)


def tiled(seq: int, tiles: Sequence[Tile] = TILES) -> NewResult:
    """The answer "rust" of a photograph in tiles; without a tile that counts, none."""
    return answered(seq, TileMap.of(lay_grid(700, 500, 256), tiles))


def undecided(seq: int) -> NewResult:
    """An answer in tiles of which none is of a leaf."""
    return tiled(seq, [Tile(2, 0.75, ReviewReason.NOT_A_LEAF)] * len(TILES))


# Of 2 x 2 cells.
EXPLAINED = Explained(pack(2, bytes([0, 64, 128, 255])))
HEAD = text("INSERT INTO image_heads (job_id, seq, width, height, tiles) VALUES (:job, :seq, 700, 500, :tiles)")


@dataclass(frozen=True, slots=True)
class Hands:
    """Claims and finishes chunks of the module's database, whosever they are."""

    database: Database
    chunk_images: int = 2

    def claim(self) -> Claim | None:
        """The next chunk of any kind."""
        with self.database.begin() as session:
            own = [pool_of(one) for one in session.scalars(select(Classifier.id))]
            pools = [ChunkKind.VALIDATE, ChunkKind.INSPECT, *own]
            pools += [of(pool) for of in (tiles_pool_of, explain_pool_of) for pool in own]
            offers = [Offer(pool, priority) for priority in Priority for pool in pools]
            return claims.claim(session, offers, worker="hands", lease_seconds=60)

    def claim_of(self, job_id: str) -> Claim:
        """The next chunk of one job; those of others are finished on the way."""
        while (held := self.claim()) is not None:
            if held.job_id == uuid.UUID(job_id):
                return held
            self.finish(held, rust)
        pytest.fail(f"job {job_id} has no ready chunk")

    def finish(self, held: Claim, classify: Classify, explained: Explained = EXPLAINED) -> None:
        """Everything arrived; every image, and every tile that is asked about, gets the answer of the test."""
        with self.database.begin() as session:
            if held.kind == ChunkKind.VALIDATE:
                claims.finish_validation(session, held, [], sizes=sizes(self.chunk_images))
            elif held.kind == ChunkKind.INSPECT:
                seqs = range(held.first_seq, held.last_seq + 1)
                session.execute(HEAD, [{"job": held.job_id, "seq": seq, "tiles": len(TILES)} for seq in seqs])
                claims.finish_inspection(
                    session, held, [], inspected=len(seqs), sizes=sizes(self.chunk_images), quotas=UNLIMITED
                )
            elif held.kind == ChunkKind.EXPLAIN:
                asked = explanations.read_requests(session, held)
                explanations.finish(session, held, dict.fromkeys(asked.tiles, explained))
            else:
                claims.finish(session, held, [classify(seq) for seq in range(held.first_seq, held.last_seq + 1)])

    def step(self, job_id: str, classify: Classify = rust) -> None:
        """Run the next chunk of one job."""
        self.finish(self.claim_of(job_id), classify)

    @contextmanager
    def at_work(self, classify: Classify = rust) -> Iterator[None]:
        """Run the block with somebody who answers and explains whatever comes."""
        stopping = threading.Event()

        def work() -> None:
            while not stopping.wait(0.01):
                while (held := self.claim()) is not None:
                    self.finish(held, classify)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def run(self, job_id: str, classify: Classify = rust) -> None:
        """Run a job to its end."""
        while not self._ended(job_id):
            self.step(job_id, classify)

    def _ended(self, job_id: str) -> bool:
        with self.database.begin() as session:
            return session.get_one(Job, uuid.UUID(job_id)).finished_at is not None


@pytest.fixture
def hands(database: Database) -> Hands:
    """On the database of this module."""
    return Hands(database)


@pytest.fixture
def drafted(api: Api) -> str:
    """A draft with five images."""
    job_id = api.new_job(name="five")
    api.add(job_id, *(f"{number}.jpg" for number in range(1, 6)))
    return job_id


@pytest.fixture
def committed(api: Api, drafted: str) -> str:
    """A committed job with five images."""
    api.commit(drafted)
    return drafted
