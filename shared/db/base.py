"""The declarative base, and the column types that every table shares."""

import uuid
from datetime import datetime
from typing import Annotated

import uuid_utils.compat
from sqlalchemy import CheckConstraint, DateTime, MetaData, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import DeclarativeBase, mapped_column

# Constraints get names that Alembic can find again on every server.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)


def new_id() -> uuid.UUID:
    """Make a UUIDv7 (RFC 9562, section 5.7): it sorts by time, so that new rows land at one end of an index."""
    return uuid_utils.compat.uuid7()


def readable(column: str) -> CheckConstraint:
    """Constrain a moment from outside to the range of Python; any other would be stored and could never be read."""
    return CheckConstraint(
        f"{column} >= '0001-01-01T00:00:00Z' AND {column} < '10000-01-01T00:00:00Z'", name=f"{column}_readable"
    )


Id = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True), primary_key=True, default=new_id)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=text("now()"))]
