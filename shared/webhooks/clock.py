"""The time of deliveries: the database's, which is the same for all deliverers."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Clock(Protocol):
    """Tells the time of a transaction. A test's clock runs ahead, so that days of a schedule pass in seconds."""

    def now(self, session: Session) -> datetime:
        """Read when this transaction began."""


class DatabaseClock:
    """The clock of PostgreSQL, which also stamps new deliveries."""

    def now(self, session: Session) -> datetime:
        """Read when this transaction began, by the database."""
        return session.execute(select(func.now())).scalar_one()
