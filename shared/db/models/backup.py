"""Finished backups and drills, written by the programs of ``deploy.backup``."""

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant


class Backup(Base):
    """A backup that was read again after it was made (``made``), or restored and compared (``drilled``)."""

    __tablename__ = "backups"
    __table_args__ = (Index("ix_backups_what_taken_at", "what", "taken_at"),)

    id: Mapped[Id]
    what: Mapped[str] = mapped_column(Text)
    # The moment of the database that is in it.
    taken_at: Mapped[Instant]
    name: Mapped[str] = mapped_column(Text)
    objects: Mapped[int] = mapped_column(BigInteger)
    # Of the objects.
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]
