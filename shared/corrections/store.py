"""Writing corrections, and reading them page by page. A writer has locked the job, whose revision goes up."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, select, text
from sqlalchemy.orm import Session

from shared.db.models import Correction, Image, Job, Result
from shared.db.plans import read_a_page
from shared.db.session import changed
from shared.errors import NotFound

CorrectionRow = Row[Correction, str, str | None, float | None]

LABEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"  # as class ids (shared.contracts.manifest)
NOTE_LENGTH = 512
BY_LENGTH = 128

# The same correction once more changes nothing, not even its time.
WRITE = text(
    """
    INSERT INTO corrections AS c (job_id, seq, label, note, corrected_by)
    SELECT :job, n.seq, n.label, n.note, n.corrected_by
    FROM unnest(CAST(:seqs AS int[]), CAST(:labels AS text[]), CAST(:notes AS text[]), CAST(:by AS text[]))
         AS n(seq, label, note, corrected_by)
    ON CONFLICT (job_id, seq) DO UPDATE
    SET label = excluded.label, note = excluded.note, corrected_by = excluded.corrected_by, corrected_at = now()
    WHERE (c.label, c.note, c.corrected_by) IS DISTINCT FROM (excluded.label, excluded.note, excluded.corrected_by)
    RETURNING 1
    """
)


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """A person's correction of an existing image."""

    seq: int
    label: str
    note: str | None
    corrected_by: str | None


def write(session: Session, job: Job, new: Sequence[NewCorrection]) -> int:
    """Write corrections of images of this job, replacing earlier ones; return the number of changes."""
    written = session.execute(
        WRITE,
        {
            "job": job.id,
            "seqs": [correction.seq for correction in new],
            "labels": [correction.label for correction in new],
            "notes": [correction.note for correction in new],
            "by": [correction.corrected_by for correction in new],
        },
    ).all()
    if written:
        _touch(session, job)
    return len(written)


def remove(session: Session, job: Job, seq: int) -> bool:
    """Remove a correction; return True if there was one.

    Raises:
        NotFound: the job has no such image.
    """
    check_image(session, job, seq)
    gone = session.execute(
        delete(Correction).where(Correction.job_id == job.id, Correction.seq == seq).returning(Correction.seq)
    ).all()
    if gone:
        _touch(session, job)
    return bool(gone)


def check_image(session: Session, job: Job, seq: int) -> None:
    """Check that the job has an image with this number.

    Raises:
        NotFound: it has no such image.
    """
    if session.scalar(select(Image.seq).where(Image.job_id == job.id, Image.seq == seq)) is None:
        raise NotFound(f"job {job.id} has no image {seq}")


def read_corrections(
    session: Session, job_id: uuid.UUID, *, after: int = -1, limit: int, seq: int | None = None
) -> Sequence[CorrectionRow]:
    """Read corrections in the order of the images, behind ``after``: (correction, name, predicted, confidence)."""
    read_a_page(session)
    # Looked up as ``shared.db.plans`` says.
    image = (
        select(Image.name, Image.seq)
        .where(Image.job_id == Correction.job_id, Image.seq >= Correction.seq)
        .order_by(Image.seq)
        .limit(1)
        .lateral()
    )
    result = (
        select(Result.label, Result.confidence, Result.seq)
        .where(Result.job_id == Correction.job_id, Result.seq >= Correction.seq)
        .order_by(Result.seq)
        .limit(1)
        .lateral()
    )
    query = (
        select(Correction, image.c.name, result.c.label, result.c.confidence)
        .select_from(Correction)
        .join(image, image.c.seq == Correction.seq)
        .outerjoin(result, result.c.seq == Correction.seq)
        .where(Correction.job_id == job_id, Correction.seq > after)
        .order_by(Correction.seq)
        .limit(limit)
    )
    return session.execute(query if seq is None else query.where(Correction.seq == seq)).all()


def _touch(session: Session, job: Job) -> None:
    """Raise the job's revision: results differ now, so an ETag of the job must not stay valid."""
    session.execute(text("UPDATE jobs SET revision = revision + 1 WHERE id = :id"), {"id": job.id})
    changed(session, job.id)
