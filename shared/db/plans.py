"""What PostgreSQL is told where its statistics mislead it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

PAGE = text("SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)")


def read_a_page(session: Session) -> None:
    """Until the end of this transaction, rows that an index has in order are read along it, as far as the page goes.

    Where most jobs have one image, every job seems to have so few rows that all of them may as well be read and sorted.
    """
    session.execute(PAGE)
