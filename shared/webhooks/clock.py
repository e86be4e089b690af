"""What time it is for deliveries: the database's time, of which all deliverers have the same."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class Clock(Protocol):
    """Tells the time of a transaction. A test's clock runs ahead, so that days of a schedule pass in seconds."""

    def now(self, session: Session) -> datetime:
        """When this transaction began."""


class DatabaseClock:
    """The clock of PostgreSQL, which also stamps new deliveries."""

    def now(self, session: Session) -> datetime:
        """When this transaction began, by the database."""
        return session.execute(select(func.now())).scalar_one()
