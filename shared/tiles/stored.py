"""Reading the stored map of an image."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import and_, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Integer

from shared.contracts.states import ImageStatus
from shared.db.models import Classifier, Image, Job, Result, TileMapRow
from shared.errors import NotFound, NoTiles
from shared.tiles.codec import decode
from shared.tiles.tile_map import TileMap

AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class StoredMap:
    """The map of an image in the bytes of ``shared.tiles.codec``, with the image's name and its classifier."""

    name: str
    classifier: Classifier
    map: bytes

    def decode(self) -> TileMap:
        """Decode it.

        Raises:
            StoredMapInvalid: a newer program wrote it, or it is damaged.
        """
        return decode(self.map)


def find_map(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID, seq: int) -> StoredMap:
    """Find the map of an image.

    Raises:
        NotFound: this tenant has no such job, or the job no such image.
        NoTiles: the image has no answer (yet), or was answered as a whole; the message says which.
    """
    found = session.execute(
        select(Image.name, Result.status, Classifier, TileMapRow.map)
        .join(Job, Job.id == Image.job_id)
        .outerjoin(Result, and_(Result.job_id == Image.job_id, Result.seq == Image.seq))
        .outerjoin(Classifier, Classifier.id == Result.classifier_id)
        .outerjoin(TileMapRow, and_(TileMapRow.job_id == Image.job_id, TileMapRow.seq == Image.seq))
        .where(Image.job_id == job_id, Image.seq == seq, Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NotFound(f"job {job_id} has no image {seq}")
    if found.map is None:
        raise NoTiles(f"image {seq} of job {job_id} has no tiles: {_reason(found.status)}")
    return StoredMap(found.name, found.Classifier, found.map)


def _reason(status: str | None) -> str:
    if status is None:
        return "it has no answer yet; ask again when its result is there"
    if status == ImageStatus.SUCCEEDED:
        return "it was answered as a whole; its result says it all"
    return f"it has no answer, it is {status}; its result says why"


def read_map(session: Session, job_id: uuid.UUID, seq: int) -> TileMap:
    """Read the map of an image; the caller has checked whose the job is.

    Raises:
        NoTiles: the image was answered as a whole, or has no answer (yet).
        StoredMapInvalid: a newer program wrote it, or it is damaged.
    """
    stored = session.scalar(select(TileMapRow.map).where(TileMapRow.job_id == job_id, TileMapRow.seq == seq))
    if stored is None:
        raise NoTiles(f"image {seq} of job {job_id} has no tiles: it was answered as a whole, or has no answer yet")
    return decode(stored)


def read_maps(session: Session, job_id: uuid.UUID, seqs: Collection[int]) -> Iterator[tuple[int, TileMap]]:
    """Yield the maps of these images, a part of them in memory at a time; images without one are left out.

    Raises:
        StoredMapInvalid: a newer program wrote one of them, or it is damaged.
    """
    for part in _parts(sorted(seqs)):
        wanted = TileMapRow.seq == any_(literal(part, ARRAY(Integer)))
        found = session.execute(select(TileMapRow.seq, TileMapRow.map).where(TileMapRow.job_id == job_id, wanted))
        yield from ((seq, decode(stored)) for seq, stored in found)


def read_tile_counts(session: Session, job_id: uuid.UUID, seqs: Collection[int]) -> dict[int, int]:
    """Read how many tiles these images have; those without a map are left out.

    Raises:
        StoredMapInvalid: a newer program wrote one of them, or it is damaged.
    """
    return {seq: found.grid.tiles for seq, found in read_maps(session, job_id, seqs)}


def _parts(seqs: list[int]) -> Iterator[list[int]]:
    """Yield parts whose maps are small enough to be in memory together."""
    for begin in range(0, len(seqs), AT_A_TIME):
        yield seqs[begin : begin + AT_A_TIME]
