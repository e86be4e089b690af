"""The images of a job, as the client named them."""

import uuid
from typing import Any

from sqlalchemy import REAL, BigInteger, ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Instant, readable


class Image(Base):
    """An image. Its answer stands in ``results``; no row there means pending."""

    __tablename__ = "images"
    __table_args__ = (UniqueConstraint("job_id", "name"), readable("captured_at"))

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    # NULL: our own upload bucket; otherwise the bucket of the import.
    bucket: Mapped[str | None] = mapped_column(Text)
    object_key: Mapped[str] = mapped_column(Text)
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSONB)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    altitude: Mapped[float | None]
    # Degrees clockwise from true north.
    heading: Mapped[float | None] = mapped_column(REAL)
    captured_at: Mapped[Instant | None]
    # The source of these (``PositionSource``); NULL: the client.
    position_source: Mapped[str | None] = mapped_column(Text)
