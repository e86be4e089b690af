"""Corrections: the labels that people give to images and tiles, in addition to the prediction."""

import uuid

from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt


class Correction(Base):
    """The valid correction of an image as a whole, for programs of the version before.

    Triggers keep it in step with ``CorrectionEntry`` in both directions; nothing here reads or writes it. It goes with
    the release after this one.
    """

    __tablename__ = "corrections"
    __table_args__ = (ForeignKeyConstraint(["job_id", "seq"], ["images.job_id", "images.seq"], ondelete="CASCADE"),)

    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    corrected_by: Mapped[str | None] = mapped_column(Text)
    corrected_at: Mapped[CreatedAt]


class CorrectionEntry(Base):
    """One act of one person: a label for an image or one of its tiles, or its taking back. Rows are only added.

    The latest entry of each person for an image or tile stands, unless it takes back; the latest of those that stand is
    the valid one. ``tile`` is counted from 0, rows first; NULL: the image as a whole. ``label`` NULL takes the person's
    correction back.
    """

    __tablename__ = "correction_entries"
    __table_args__ = (
        ForeignKeyConstraint(["job_id", "seq"], ["images.job_id", "images.seq"], ondelete="CASCADE"),
        Index("ix_correction_entries_history", "job_id", "seq", text("coalesce(tile, -1)"), "id"),
        Index(
            "uq_correction_entries_image",
            "job_id",
            "seq",
            unique=True,
            postgresql_where=text("is_valid AND tile IS NULL"),
        ),
        Index(
            "uq_correction_entries_tile",
            "job_id",
            "seq",
            "tile",
            unique=True,
            postgresql_where=text("is_valid AND tile IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    job_id: Mapped[uuid.UUID]
    seq: Mapped[int]
    tile: Mapped[int | None]
    # An id as classes have; it need not be a class of the classifier.
    label: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    # The person, as the client names it, otherwise the name of its API key.
    corrected_by: Mapped[str | None] = mapped_column(Text)
    corrected_at: Mapped[CreatedAt]
    # Kept by a trigger (migration 0014), so that whoever reads finds the valid one by an index of its own.
    is_valid: Mapped[bool] = mapped_column(server_default=text("false"))
