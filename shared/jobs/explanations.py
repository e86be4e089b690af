"""Explanations of single tiles: asked for by a client who waits, made by a worker, forgotten soon.

A request is a row; a chunk of the kind ``explain`` stands for all open requests of one image. Whoever asks again finds
the answer, or that there is no chunk any more, and makes one.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.classifiers.registry import has_map, manifest_of
from shared.contracts import stored
from shared.contracts.states import ChunkKind, ChunkState, ImageErrorCode
from shared.db.models import Chunk, Image, Job, TileExplanation
from shared.errors import Conflict, InvalidRequest, NoExplanation, NotFound
from shared.jobs import claims, lifecycle
from shared.jobs.chunks import add_explaining_chunk, explain_pool_of, pool_of
from shared.jobs.claims import Claim
from shared.jobs.images import PendingImage
from shared.jobs.results import store_results
from shared.tiles.stored import StoredMap, find_map, read_map
from shared.tiles.tile_map import TileMap

# How long an answer is kept for whoever asks again: the same click, the next page, a client whose wait was over.
KEEP = timedelta(minutes=10)
WITHOUT_MAP = (
    "{name} {version} gives no map of what speaks for its labels, so nobody can say where it saw this; a version that "
    "has one says so in `outputs` of its manifest (GET /v1/classifiers)"
)
LOST = "the worker ended each time it explained this photograph"

# The chunks of requests that are forgotten go with them.
FORGET = text(
    """
    WITH gone AS (DELETE FROM tile_explanations WHERE asked_at < now() - :keep RETURNING job_id, seq),
    chunks_gone AS (
        DELETE FROM chunks c USING (SELECT DISTINCT job_id, seq FROM gone) AS g
        WHERE c.job_id = g.job_id AND c.first_seq = g.seq AND c.kind = 'explain' AND c.state = 'done')
    SELECT count(*) FROM gone
    """
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for the explanation of a tile, as it stands: answered, failed, or neither yet.

    ``label`` is the class id of the tile, ``box`` its left, top, right and bottom in pixels of the upright original.
    """

    label: str
    box: tuple[int, int, int, int]
    explanation: bytes | None
    error_code: ImageErrorCode | None
    error_detail: str | None

    @property
    def is_over(self) -> bool:
        """True if nobody works on it any more."""
        return self.explanation is not None or self.error_code is not None


@dataclass(frozen=True, slots=True)
class ToExplain:
    """The tiles of an image that wait for their explanation, with its answer; ``image`` is None if it is gone."""

    image: PendingImage | None
    answered: TileMap
    tiles: Sequence[int]


@dataclass(frozen=True, slots=True)
class Explained:
    """The answer to a request: an explanation as it is stored, or why there is none."""

    explanation: bytes | None = None
    error_code: ImageErrorCode | None = None
    error_detail: str | None = None


def ask(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID, seq: int, tile: int) -> Asked:
    """Ask for the explanation of a tile, or for what became of it. Harmless to repeat.

    Raises:
        NotFound: this tenant has no such job, or the job no such image.
        NoTiles: the image was answered as a whole, or has no answer (yet).
        InvalidRequest: it has no such tile.
        NoExplanation: the tile was skipped, or the classifier has no map.
        Conflict: ``originals-removed``: the photograph is gone.
    """
    found = find_map(session, tenant_id, job_id, seq)
    answered = found.decode()
    label = _label_of(found, answered, seq, tile)
    session.execute(insert(TileExplanation).values(job_id=job_id, seq=seq, tile=tile).on_conflict_do_nothing())
    row = session.get_one(TileExplanation, (job_id, seq, tile), populate_existing=True)
    code = None if row.error_code is None else ImageErrorCode(row.error_code)
    asked = Asked(label, answered.grid.box(tile), row.explanation, code, row.error_detail)
    if not asked.is_over:
        _check_original(session, job_id, seq)
        _make_chunk(session, found, job_id, seq)
    return asked


def _label_of(found: StoredMap, answered: TileMap, seq: int, tile: int) -> str:
    """Return the label of the tile that is to be explained."""
    if tile >= answered.grid.tiles:
        raise InvalidRequest(f"image {seq} has {answered.grid.tiles} tiles, from 0 on; there is no tile {tile}")
    if not has_map(found.classifier):
        raise NoExplanation(WITHOUT_MAP.format(name=found.classifier.name, version=found.classifier.version))
    one = answered.tile(tile)
    if one.label is None:
        raise NoExplanation(f"tile {tile} of image {seq} was not classified ({one.skipped}): there is nothing to say")
    return manifest_of(found.classifier).labels[one.label]


def _check_original(session: Session, job_id: uuid.UUID, seq: int) -> None:
    removed_at, bucket = session.execute(
        select(Job.originals_removed_at, Image.bucket)
        .join(Image, Image.job_id == Job.id)
        .where(Job.id == job_id, Image.seq == seq)
    ).one()
    if removed_at is not None and bucket is None:
        raise Conflict(
            f"the photographs of this job were removed at {removed_at:%Y-%m-%d %H:%M} UTC, as its retention says, and "
            "a tile is explained from its photograph",
            code="originals-removed",
        )


def _make_chunk(session: Session, found: StoredMap, job_id: uuid.UUID, seq: int) -> None:
    """Add the chunk of an image, unless there is one: that takes the newest requests along, or the next one does."""
    if _has_chunk(session, job_id, seq):
        return
    job = lifecycle.lock_job(session, job_id)
    if not _has_chunk(session, job_id, seq):
        add_explaining_chunk(session, job, seq, pool=explain_pool_of(pool_of(found.classifier.id)))


def _has_chunk(session: Session, job_id: uuid.UUID, seq: int) -> bool:
    wanted = select(Chunk.no).where(
        Chunk.job_id == job_id,
        Chunk.first_seq == seq,
        Chunk.kind == ChunkKind.EXPLAIN,
        Chunk.state != ChunkState.DONE,
    )
    return session.scalars(wanted.limit(1)).one_or_none() is not None


def read_requests(session: Session, claim: Claim) -> ToExplain:
    """Read the open requests of a chunk, the answer that they are about, and the object of the image.

    Raises:
        NotFound: the job was deleted.
        StoredMapInvalid: a newer program wrote the map, or it is damaged.
    """
    job_id, seq = claim.job_id, claim.first_seq
    found = session.execute(
        select(Image.name, Image.size, Image.sha256, Image.bucket, Image.object_key, Job.originals_removed_at)
        .join(Job, Job.id == Image.job_id)
        .where(Image.job_id == job_id, Image.seq == seq, Job.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NotFound(f"job {job_id} has no image {seq}")
    tiles = session.scalars(_open_requests(job_id, seq).order_by(TileExplanation.tile)).all()
    is_gone = found.originals_removed_at is not None and found.bucket is None
    image = PendingImage(seq, found.name, found.size, found.sha256, found.bucket, found.object_key)
    return ToExplain(None if is_gone else image, read_map(session, job_id, seq), tiles)


def finish(session: Session, claim: Claim, found: Mapping[int, Explained]) -> None:
    """Store the answers to requests, by tile, and close their chunk. Harmless to repeat.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    job = lifecycle.lock_job(session, claim.job_id)
    if not claims.close(session, claim):
        return
    for tile, one in found.items():
        _answer(session, claim.job_id, claim.first_seq, one, [tile])
    store_results(session, job, [], closed_chunks=1)
    lifecycle.finish_if_done(session, job)


def give_up(session: Session, chunk: Chunk) -> None:
    """Answer the requests of a chunk that ended its worker each time. The caller closes it."""
    lost = Explained(error_code=ImageErrorCode.WORKER_CRASHED, error_detail=LOST)
    tiles = session.scalars(_open_requests(chunk.job_id, chunk.first_seq)).all()
    _answer(session, chunk.job_id, chunk.first_seq, lost, tiles)


def forget(session: Session) -> int:
    """Forget requests after ``KEEP``, and their chunks; return how many there were."""
    return int(session.execute(FORGET, {"keep": KEEP}).scalar_one())


def _open_requests(job_id: uuid.UUID, seq: int) -> Select[int]:
    return select(TileExplanation.tile).where(
        TileExplanation.job_id == job_id,
        TileExplanation.seq == seq,
        TileExplanation.explanation.is_(None),
        TileExplanation.error_code.is_(None),
    )


def _answer(session: Session, job_id: uuid.UUID, seq: int, one: Explained, tiles: Sequence[int]) -> None:
    session.execute(
        update(TileExplanation)
        .where(TileExplanation.job_id == job_id, TileExplanation.seq == seq, TileExplanation.tile.in_(tiles))
        .values(
            explanation=one.explanation,
            error_code=one.error_code,
            error_detail=None if one.error_detail is None else stored.words(one.error_detail),
        )
    )
