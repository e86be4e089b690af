"""Corrections: the label that a person gives to an image, in addition to the prediction."""

import uuid

from sqlalchemy import ForeignKeyConstraint, Text
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
