"""Corrections: what a person says of an image, beside what the classifier says."""

import uuid

from sqlalchemy import ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt


class Correction(Base):
    """The label that an agronomist gave to an image; the latest one. The prediction stays as it is."""

    __tablename__ = "corrections"
    __table_args__ = (ForeignKeyConstraint(["job_id", "seq"], ["images.job_id", "images.seq"], ondelete="CASCADE"),)

    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # An id as classes have; it need not be a class of the classifier.
    label: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    # Who: as the client says, otherwise the name of its API key.
    corrected_by: Mapped[str | None] = mapped_column(Text)
    corrected_at: Mapped[CreatedAt]
