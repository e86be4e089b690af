"""Reading the stored map of an image."""

import uuid
from collections.abc import Collection, Iterator

from sqlalchemy import any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Integer

from shared.db.models import TileMapRow
from shared.errors import NoTiles
from shared.tiles.codec import decode
from shared.tiles.tile_map import TileMap

AT_A_TIME = 500


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
