"""Rows of an export: pages of a few thousand by key, each in a short transaction of its own.

Nothing is held between two pages, neither a connection nor a cursor, so a reader may be as slow as it likes. All pages
show the results that were there when the export began (``upto``): results are numbered in the order in which they
become visible, so what a running job adds meanwhile has a higher number.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from shared.db.models import Image, Result
from shared.db.plans import walk_in_order
from shared.db.session import Database
from shared.errors import Conflict
from shared.exports.columns import Corrected, Record, selected
from shared.jobs.results import ResultFilter

PAGE_ROWS = 2000

Page = list[Record]


def of_job(wanted: Select[Any], job_id: uuid.UUID, *, upto: int, only: ResultFilter) -> Select[Any]:
    """Select ``wanted`` from the results of a job up to the number ``upto``, with their images and corrections."""
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
    """Yield the pages, in the order of the images.

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
    check_complete(read, rows)


def check_complete(read: int, rows: int) -> None:
    """Check that as many rows were read as there were when the export began.

    Raises:
        Conflict: the job was retried or deleted meanwhile.
    """
    if read != rows:
        raise Conflict("the job was retried or deleted while it was exported; export it again", code="job-changed")
