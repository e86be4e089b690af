"""The corrections that count: of each image, and of each tile, the latest one that its person has not taken back.

Whoever reads corrections beside answers reads them here, so that pages, summaries and exports agree. Which entry that
is, a trigger decides when entries are added (migration 0014), and marks it: each of these conditions is one partial
unique index.
"""

import uuid

from sqlalchemy import ColumnElement, Subquery, and_, select

from shared.db.models import CorrectionEntry

OF_IMAGES: ColumnElement[bool] = and_(CorrectionEntry.is_valid, CorrectionEntry.tile.is_(None))
"""True for the valid correction of an image as a whole: at most one row for each image."""

OF_TILES: ColumnElement[bool] = and_(CorrectionEntry.is_valid, CorrectionEntry.tile.is_not(None))
"""True for the valid correction of a tile: at most one row for each tile."""


def corrected_tiles(job_id: uuid.UUID) -> Subquery:
    """Select ``seq``, ``tile`` and ``label`` of the tiles of a job that have a valid correction."""
    return (
        select(CorrectionEntry.seq, CorrectionEntry.tile, CorrectionEntry.label)
        .where(CorrectionEntry.job_id == job_id, OF_TILES)
        .subquery("corrected_tiles")
    )
