"""Hints to PostgreSQL's planner for cases in which its statistics mislead it.

A job that is new to the statistics counts as one row, and then every plan looks equally good: a plain join of images
and results read all of the job for each row, and took minutes. And if most jobs have one image, another index that
begins with the job looks as good as the primary key.

A step that is switched off must be avoidable: PostgreSQL 17 and older add 10,000,000,000 to the cost of such a step if
they have to take it all the same, and next to that every other difference is nothing. A test reads every plan for it.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Only the primary key gives the next row in order. So the first row that is not before the requested one is looked up,
# and it counts if it is that one. A subquery with a LIMIT is run for each row.
IMAGES_WITH_RESULT = """
    images i LEFT JOIN LATERAL (
        SELECT r.seq FROM results r WHERE r.job_id = i.job_id AND r.seq >= i.seq ORDER BY r.seq LIMIT 1
    ) r ON r.seq = i.seq
"""
RESULTS_WITH_IMAGE = """
    results r JOIN LATERAL (
        SELECT i.seq, i.name, i.bucket, i.object_key
        FROM images i WHERE i.job_id = r.job_id AND i.seq >= r.seq ORDER BY i.seq LIMIT 1
    ) i ON i.seq = r.seq
"""
_PAGE = text("SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)")
_IN_ORDER = text(
    "SELECT set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_sort', 'off', true)"
)
_WHOLE_JOB = text("SELECT set_config('enable_nestloop', 'off', true)")
_BY_INDEX = text("SELECT set_config('enable_seqscan', 'off', true)")


def read_a_page(session: Session) -> None:
    """Read rows along the index that has them in order, as far as the page goes; until the end of this transaction."""
    session.execute(_PAGE)


def walk_in_order(session: Session) -> None:
    """Join along the primary keys, which begin with job and image; until the end of this transaction."""
    session.execute(_IN_ORDER)


def read_a_whole_job(session: Session) -> None:
    """Join by hashes, which is right for a whole job; until the end of this transaction."""
    session.execute(_WHOLE_JOB)


def read_by_index(session: Session) -> None:
    """Read tables by an index, which each of them must have; until the end of this transaction.

    For partial indexes of waiting rows: without this, all of a table is read as soon as a tenth of it waits.
    """
    session.execute(_BY_INDEX)
