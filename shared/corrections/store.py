"""Writing corrections: rows are only added. A writer has locked the job, whose revision goes up."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.db.models import Image, Job
from shared.db.session import changed
from shared.errors import InvalidRequest, NotFound
from shared.tiles.stored import read_map

LABEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"  # as class ids (shared.contracts.manifest)
NOTE_LENGTH = 512
BY_LENGTH = 128

LINES_AT_A_TIME = 5000  # A statement must end before its time is over.

# What is valid already is not said again, not even with another time. Of several persons in one table the later line is
# the valid one, so only the first is compared.
WRITE = text(
    """
    INSERT INTO correction_entries (job_id, seq, tile, label, note, corrected_by)
    SELECT :job, n.seq, n.tile, n.label, n.note, n.corrected_by
    FROM (
        SELECT *, row_number() OVER (PARTITION BY seq, tile ORDER BY line) AS nth
        FROM unnest(CAST(:seqs AS int[]), CAST(:tiles AS int[]), CAST(:labels AS text[]), CAST(:notes AS text[]),
                    CAST(:by AS text[])) WITH ORDINALITY AS said(seq, tile, label, note, corrected_by, line)
    ) n LEFT JOIN LATERAL (
        SELECT e.label, e.note, e.corrected_by FROM correction_entries e
        WHERE e.job_id = :job AND e.seq = n.seq AND coalesce(e.tile, -1) = coalesce(n.tile, -1) AND e.is_valid LIMIT 1
    ) valid ON true
    WHERE n.nth > 1
       OR (valid.label, valid.note, valid.corrected_by) IS DISTINCT FROM (n.label, n.note, n.corrected_by)
    ORDER BY n.line
    RETURNING 1
    """
)
TAKE_BACK = text(
    """
    INSERT INTO correction_entries (job_id, seq, tile, corrected_by)
    SELECT :job, :seq, :tile, theirs.corrected_by
    FROM (
        SELECT DISTINCT ON (e.corrected_by) e.corrected_by, e.label FROM correction_entries e
        WHERE e.job_id = :job AND e.seq = :seq AND coalesce(e.tile, -1) = coalesce(CAST(:tile AS int), -1)
          AND (CAST(:by AS text) IS NULL OR e.corrected_by = :by)
        ORDER BY e.corrected_by, e.id DESC
    ) theirs
    WHERE theirs.label IS NOT NULL
    RETURNING 1
    """
)


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """A person's correction of an existing image, or of an existing tile of it (counted from 0, rows first)."""

    seq: int
    label: str
    note: str | None
    corrected_by: str | None
    tile: int | None = None


def write(session: Session, job: Job, new: Sequence[NewCorrection]) -> int:
    """Add corrections of images and tiles of this job; each is the valid one now. Return how many were new."""
    parts = (new[begin : begin + LINES_AT_A_TIME] for begin in range(0, len(new), LINES_AT_A_TIME))
    written = sum(_write(session, job, part) for part in parts)
    if written:
        _touch(session, job)
    return written


def _write(session: Session, job: Job, new: Sequence[NewCorrection]) -> int:
    written = session.execute(
        WRITE,
        {
            "job": job.id,
            "seqs": [correction.seq for correction in new],
            "tiles": [correction.tile for correction in new],
            "labels": [correction.label for correction in new],
            "notes": [correction.note for correction in new],
            "by": [correction.corrected_by for correction in new],
        },
    ).all()
    return len(written)


def take_back(session: Session, job: Job, seq: int, *, tile: int | None, corrected_by: str | None) -> bool:
    """Take back what this person says of an image or a tile, or what everybody says; return True if it was something.

    Args:
        session: a transaction.
        job: the job, locked.
        seq: an image of it.
        tile: a tile of the image; None: the image as a whole.
        corrected_by: the person; None: everybody.
    """
    given = {"job": job.id, "seq": seq, "tile": tile, "by": corrected_by}
    gone = session.execute(TAKE_BACK, given).all()
    if gone:
        _touch(session, job)
    return bool(gone)


def check_place(session: Session, job: Job, seq: int, tile: int | None) -> None:
    """Check that the job has an image with this number, and the image such a tile.

    Raises:
        NotFound: it has no such image.
        NoTiles: the image was answered as a whole, or has no answer (yet).
        InvalidRequest: the image has fewer tiles.
    """
    if session.scalar(select(Image.seq).where(Image.job_id == job.id, Image.seq == seq)) is None:
        raise NotFound(f"job {job.id} has no image {seq}")
    if tile is not None and tile >= (tiles := read_map(session, job.id, seq).grid.tiles):
        raise InvalidRequest(outside(seq, tile, tiles))


def outside(seq: int, tile: int, tiles: int) -> str:
    """Say that an image has fewer tiles."""
    return f"image {seq} has the tiles 0 to {tiles - 1}, and no tile {tile}"


def _touch(session: Session, job: Job) -> None:
    """Raise the job's revision: results differ now, so an ETag of the job must not stay valid."""
    session.execute(text("UPDATE jobs SET revision = revision + 1 WHERE id = :id"), {"id": job.id})
    changed(session, job.id)
