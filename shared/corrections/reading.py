"""Reading corrections page by page, each beside what the classifier says of the same image or tile."""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, Row, Select, any_, func, literal, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.classifiers.registry import manifest_of
from shared.db.models import Classifier, CorrectionEntry, Image, ImageHead, Job, Result
from shared.db.plans import read_a_page
from shared.tiles.grid import Box
from shared.tiles.stored import read_maps
from shared.tiles.tile_map import TileMap

WHOLE = -1  # stands for "no tile" where rows are put in order
LAST_ID = 2**63 - 1
CURSOR = re.compile(r"(-1|[0-9]{1,9})(?:\.(-1|[0-9]{1,9})(?:\.([0-9]{1,18}))?)?")


class Cursor(NamedTuple):
    """The place of a row among corrections: behind those of the images before, and of the tiles before."""

    seq: int = -1
    tile: int = WHOLE
    id: int = LAST_ID

    def __str__(self) -> str:
        """Write it as short as it can be: ``7``, ``7.12``, and in a history ``7.-1.3050``."""
        parts = [self.seq, self.tile, self.id]
        if self.id == LAST_ID:
            del parts[1 if self.tile == WHOLE else 2 :]
        return ".".join(map(str, parts))

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read it.

        Raises:
            ValueError: it is no cursor.
        """
        found = CURSOR.fullmatch(text)
        if found is None:
            msg = "must be `after` of the page before"
            raise ValueError(msg)
        return cls(*(int(part) for part in found.groups() if part is not None))


START = Cursor()


class ReadCorrection(NamedTuple):
    """An entry, and what the classifier says of the same place.

    ``box``: of the tile, in upright pixels; ``ground_resolution_mm``: of its photograph, if anybody says it.
    """

    id: int
    seq: int
    tile: int | None
    label: str | None
    note: str | None
    corrected_by: str | None
    corrected_at: datetime
    is_valid: bool
    name: str
    predicted: str | None
    confidence: float | None
    box: Box | None
    ground_resolution_mm: float | None

    def cursor(self, *, history: bool) -> Cursor:
        """Return the place of this row."""
        return Cursor(self.seq, WHOLE if self.tile is None else self.tile, self.id if history else LAST_ID)


# Looked up as ``shared.db.plans`` says.
_IMAGE = (
    select(Image.name, Image.seq)
    .where(Image.job_id == CorrectionEntry.job_id, Image.seq >= CorrectionEntry.seq)
    .order_by(Image.seq)
    .limit(1)
    .lateral()
)
_RESULT = (
    select(Result.label, Result.confidence, Result.seq)
    .where(Result.job_id == CorrectionEntry.job_id, Result.seq >= CorrectionEntry.seq)
    .order_by(Result.seq)
    .limit(1)
    .lateral()
)
# The literal is that of the index.
_PLACE = (CorrectionEntry.seq, func.coalesce(CorrectionEntry.tile, literal_column(str(WHOLE))), CorrectionEntry.id)
_ENTRIES = (
    select(
        CorrectionEntry.id,
        CorrectionEntry.seq,
        CorrectionEntry.tile,
        CorrectionEntry.label,
        CorrectionEntry.note,
        CorrectionEntry.corrected_by,
        CorrectionEntry.corrected_at,
        CorrectionEntry.is_valid,
        _IMAGE.c.name,
        _RESULT.c.label.label("predicted"),
        _RESULT.c.confidence,
    )
    .select_from(CorrectionEntry)
    .join(_IMAGE, _IMAGE.c.seq == CorrectionEntry.seq)
    .outerjoin(_RESULT, _RESULT.c.seq == CorrectionEntry.seq)
    .order_by(*_PLACE)
)


def read_corrections(
    session: Session,
    job_id: uuid.UUID,
    *,
    after: Cursor = START,
    limit: int,
    seq: int | None = None,
    history: bool = False,
) -> list[ReadCorrection]:
    """Read corrections in the order of the images and, in each, of its tiles, behind ``after``.

    Args:
        session: a transaction.
        job_id: the job; the caller has checked whose it is.
        after: where the page begins.
        limit: rows of the page.
        seq: only those of this image.
        history: every entry, also of the same place, the oldest first; otherwise the valid ones.
    """
    begin = tuple_(literal(after.seq, Integer), literal(after.tile, Integer), literal(after.id, BigInteger))
    query = _ENTRIES.where(
        CorrectionEntry.job_id == job_id,
        tuple_(*_PLACE) > begin,
    ).limit(limit)
    if seq is not None:
        query = query.where(CorrectionEntry.seq == seq)
    return _read(session, job_id, query if history else query.where(CorrectionEntry.is_valid))


def read_valid(session: Session, job_id: uuid.UUID, seq: int, tile: int | None) -> ReadCorrection:
    """Read the correction of an image or a tile that has one."""
    place = CorrectionEntry.tile.is_(None) if tile is None else CorrectionEntry.tile == tile
    query = _ENTRIES.where(
        CorrectionEntry.job_id == job_id, CorrectionEntry.seq == seq, place, CorrectionEntry.is_valid
    )
    (found,) = _read(session, job_id, query)
    return found


def _read(session: Session, job_id: uuid.UUID, query: Select[Any]) -> list[ReadCorrection]:
    read_a_page(session)
    rows = session.execute(query).all()
    tiled = {row.seq for row in rows if row.tile is not None}
    if not tiled:
        return [_of_image(row) for row in rows]
    maps = dict(read_maps(session, job_id, tiled))
    labels = _labels(session, job_id) if maps else ()
    resolutions = _ground_resolutions(session, job_id, tiled)
    return [_of_tile(row, maps.get(row.seq), labels, resolutions) for row in rows]


def _of_image(row: Row[Any]) -> ReadCorrection:
    return ReadCorrection._make((*row, None, None))


def _of_tile(
    row: Row[Any], answered: TileMap | None, labels: Sequence[str], resolutions: Mapping[int, float | None]
) -> ReadCorrection:
    """Put the classifier's word for the tile in the place of that for its image."""
    if row.tile is None:
        return _of_image(row)
    one = _of_image(row)._replace(predicted=None, confidence=None)
    if answered is None:
        return one
    tile = answered.tile(row.tile)
    return one._replace(
        predicted=None if tile.label is None else labels[tile.label],
        confidence=tile.confidence,
        box=answered.grid.box(row.tile),
        ground_resolution_mm=resolutions.get(row.seq),
    )


def _labels(session: Session, job_id: uuid.UUID) -> Sequence[str]:
    """Read the ids of the classes that numbers in maps mean."""
    pinned = select(Classifier).join(Job, Job.classifier_id == Classifier.id).where(Job.id == job_id)
    return manifest_of(session.scalars(pinned).one()).labels


def _ground_resolutions(session: Session, job_id: uuid.UUID, seqs: Collection[int]) -> dict[int, float | None]:
    """Read the millimetres in a pixel of these photographs: what the job says of all, or what their heads say."""
    of_job = session.scalar(select(Job.ground_resolution_mm).where(Job.id == job_id))
    if of_job is not None:
        return dict.fromkeys(seqs, of_job)
    wanted = ImageHead.seq == any_(literal(sorted(seqs), ARRAY(Integer)))
    heads = select(ImageHead.seq, ImageHead.ground_resolution_mm).where(ImageHead.job_id == job_id, wanted)
    return {seq: mm for seq, mm in session.execute(heads)}  # noqa: C416  # rows, for mypy
