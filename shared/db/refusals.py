"""Rows that the database refuses: the others are stored all the same.

Values are made storable before they become rows (``shared.contracts.stored``). This is for a value that was not
foreseen: it costs its own row, and not the transaction with all the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

log = structlog.get_logger()

# PostgreSQL, appendix A: data exception, integrity constraint violation, program limit exceeded.
OF_A_VALUE = ("22", "23", "54")
# Each is two statements. A transaction in which every row is refused must come to its end, too.
MAX_ATTEMPTS = 2000

T = TypeVar("T")
Store = Callable[[Sequence[T]], None]


def is_refusal(error: Exception) -> bool:
    """Return True for a refused value, as opposed to an unreachable database or a wrong statement."""
    # What is copied goes past SQLAlchemy, and its errors are psycopg's own.
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return False
    # psycopg refuses some values itself, and has no code then.
    return cause.sqlstate.startswith(OF_A_VALUE) if cause.sqlstate else isinstance(cause, psycopg.DataError)


def store_or_refuse(session: Session, rows: Sequence[T], store: Store[T]) -> list[T]:
    """Store rows, all at once if possible; otherwise find the refused ones, and store the others.

    Args:
        session: a transaction; refused rows are rolled back to a savepoint.
        rows: to be stored.
        store: stores some of them, or raises.

    Returns:
        The refused rows; after ``MAX_ATTEMPTS`` also those that were not tried alone.
    """
    return _Parts(session, store).refused(rows)


@dataclass(slots=True)
class _Parts(Generic[T]):
    """A search by halves, until the refused rows stand alone."""

    session: Session
    store: Store[T]
    attempts: int = field(default=0)

    def refused(self, rows: Sequence[T]) -> list[T]:
        if not rows:
            return []
        if self.attempts >= MAX_ATTEMPTS:
            return list(rows)
        self.attempts += 1
        if self._stored(rows):
            return []
        if len(rows) == 1:
            return [rows[0]]
        middle = len(rows) // 2
        return [*self.refused(rows[:middle]), *self.refused(rows[middle:])]

    def _stored(self, rows: Sequence[T]) -> bool:
        try:
            with self.session.begin_nested():
                self.store(rows)
        except (DBAPIError, psycopg.Error) as error:
            if not is_refusal(error):
                raise
            log.warning("rows_refused", rows=len(rows), reason=str(error).partition("\n")[0])
            return False
        return True
