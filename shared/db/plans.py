"""What PostgreSQL is told where its statistics mislead it.

A job that is new to them counts as one row there, and then every plan looks equally good: a plain join of images and
results read all of the job for each row, and took minutes. And where most jobs have one image, another index that
begins with the job looks as good as the primary key.

What is switched off must be avoidable: PostgreSQL 17 and older add 10,000,000,000 to the cost of a step that is
switched off and that they have to take all the same, and beside so much every other difference is nothing. A test reads
every plan for such a step.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Only the primary key gives the next row in order. So the first one is looked up that is not before the one wanted,
# and it counts where it is that one. What has a LIMIT is looked up for each row.
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
    """Until the end of this transaction, rows that an index has in order are read along it, as far as the page goes."""
    session.execute(_PAGE)


def walk_in_order(session: Session) -> None:
    """Until the end of this transaction, joins walk along the primary keys, which begin with the job and the image."""
    session.execute(_IN_ORDER)


def read_a_whole_job(session: Session) -> None:
    """Until the end of this transaction, what is joined is hashed, which is right for a whole job."""
    session.execute(_WHOLE_JOB)


def read_by_index(session: Session) -> None:
    """Until the end of this transaction, tables are read by an index; each that is asked for must have a fitting one.

    A partial index of what waits: without this, all of a table is read once a tenth of it waits.
    """
    session.execute(_BY_INDEX)
