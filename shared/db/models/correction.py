"""Corrections: the label that a person gives to an image, in addition to the prediction."""

import uuid

from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt


class Correction(Base):
    """The latest label that an agronomist gave to an image. The prediction stays as it is."""

    __tablename__ = "corrections"
    __table_args__ = (ForeignKeyConstraint(["job_id", "seq"], ["images.job_id", "images.seq"], ondelete="CASCADE"),)

    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # An id as classes have; it need not be a class of the classifier.
    label: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    # The person, as the client names it, otherwise the name of its API key.
    corrected_by: Mapped[str | None] = mapped_column(Text)
    corrected_at: Mapped[CreatedAt]


class CorrectionEntry(Base):
    """One act of one person: a label for an image or one of its tiles, or its taking back. Rows are only added.

    The latest entry of each person for an image or tile stands. ``tile`` is counted from 0, rows first; NULL: the image
    as a whole. ``label`` NULL takes the person's correction back.
    """

    __tablename__ = "correction_entries"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "seq"], ["images.job_id", "images.seq"], ondelete="CASCADE"),
        Index("ix_correction_entries_standing", "job_id", "seq", "tile", "corrected_by", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    job_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    tile: Mapped[int | None]
    label: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    corrected_by: Mapped[str | None] = mapped_column(Text)
    corrected_at: Mapped[CreatedAt]
