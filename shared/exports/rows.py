"""What an export reads: pages of a few thousand rows by key, each in a short transaction of its own.

Nothing is held between two pages, neither a connection nor a cursor, so a reader may be as slow as it likes. All pages
show the results that were there when the export began (``upto``): results are numbered in the order in which they
become visible, so what a running job adds meanwhile has a higher number.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from shared.db.models import Correction, Image, Result
from shared.db.plans import walk_in_order
from shared.db.session import Database
from shared.errors import Conflict
from shared.geography.place import place_columns
from shared.jobs.results import ResultFilter

PAGE_ROWS = 2000

# OFFSET keeps PostgreSQL 15 from merging this into the statement around it, where it no longer sees that the key has
# the rows of one job in order.
Corrected = aliased(
    Correction,
    select(Correction)
    .where(Correction.job_id == bindparam("job"), Correction.seq > bindparam("after"))
    .order_by(Correction.seq)
    .offset(literal_column("0"))
    .subquery("corrected"),
)


class Record(NamedTuple):
    """One image with its answer, in the order of ``_selected``.

    ``probabilities`` stand in the order of the classifier's classes; ``classified``: a classifier saw the image.
    """

    seq: int
    name: str
    status: str
    label: str | None = None
    confidence: float | None = None
    needs_review: bool | None = None
    review_reason: str | None = None
    corrected_label: str | None = None
    correction_note: str | None = None
    corrected_by: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    position_source: str | None = None
    position_fault: str | None = None
    error_code: str | None = None
    error_detail: str | None = None
    probabilities: list[float] | None = None
    classified: bool = False
    runtime: str | None = None
    metadata: dict[str, Any] | None = None
    finished_at: datetime | None = None

    @property
    def has_position(self) -> bool:
        """Whether it can be put on a map."""
        return self.latitude is not None and self.longitude is not None


Page = list[Record]


def selected() -> tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]:
    """The columns of a :class:`Record`, in its order."""
    return (
        Result.seq,
        Image.name,
        Result.status,
        Result.label,
        Result.confidence,
        Result.needs_review,
        Result.review_reason,
        Corrected.label.label("corrected_label"),
        Corrected.note,
        Corrected.corrected_by,
        *place_columns(),
        Result.error_code,
        Result.error_detail,
        Result.probabilities,
        Result.classifier_id.is_not(None),
        Result.runtime,
        Image.metadata_,
        Result.finished_at,
    )


def of_job(wanted: Select[Any], job_id: uuid.UUID, *, upto: int, only: ResultFilter) -> Select[Any]:
    """``wanted`` from the results of a job, their images and corrections; those with a number up to ``upto``."""
    return (
        wanted.select_from(Result)
        .join(Image, and_(Image.job_id == Result.job_id, Image.seq == Result.seq))
        .outerjoin(Corrected, Corrected.seq == Result.seq)
        .where(Result.job_id == job_id, Result.position <= upto, *only.conditions())
        .params(job=job_id, after=-1)
    )


def read_pages(
    database: Database, job_id: uuid.UUID, *, upto: int, rows: int, only: ResultFilter, page_rows: int = PAGE_ROWS
) -> Iterator[Page]:
    """The pages, in the order of the images.

    Args:
        database: where to read; no connection of it is held between two pages.
        job_id: the job; the caller has checked whose it is.
        upto: number of the last result that counts.
        rows: how many there are; another number at the end is an error, never a file that looks complete.
        only: which of them.
        page_rows: rows of a page.

    Raises:
        Conflict: the job was retried or deleted meanwhile.
        DatabaseUnavailable: Postgres stayed away.
    """
    wanted = of_job(select(*selected()), job_id, upto=upto, only=only).order_by(Result.seq).limit(page_rows)
    after, read = -1, 0

    def next_page(session: Session) -> Page:
        walk_in_order(session)
        behind = wanted.where(Result.seq > after, Image.seq > after).params(after=after)
        return [Record._make(row) for row in session.execute(behind)]

    while page := database.run(next_page):
        yield page
        read += len(page)
        after = page[-1].seq
        if len(page) < page_rows:
            break
    if read != rows:
        raise Conflict("the job was retried or deleted while it was exported; export it again", code="job-changed")
