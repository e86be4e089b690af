"""The images of a job, as the client named them, and the heads of their files."""

import uuid
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
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
    # Metres above the ground, as the client or a sidecar says.
    height_above_ground: Mapped[float | None] = mapped_column(REAL)
    # The source of these (``PositionSource``); NULL: the client.
    position_source: Mapped[str | None] = mapped_column(Text)


class ImageHead(Base):
    """The head of an image's file, read once by an ``inspect`` chunk; only for jobs that need it.

    ``width`` and ``height`` are those of the stored pixels, before ``orientation`` (EXIF, 1 to 8) turns them. A head
    that cannot be read has neither; whoever decodes the file says why.
    """

    __tablename__ = "image_heads"
    __table_args__ = (ForeignKeyConstraint(["job_id", "seq"], ["images.job_id", "images.seq"], ondelete="CASCADE"),)

    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    width: Mapped[int | None]
    height: Mapped[int | None]
    orientation: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    # The edge of its tiles in pixels, and their number; what is not classified for its ground resolution is one.
    edge: Mapped[int | None]
    tiles: Mapped[int] = mapped_column(server_default=text("1"))
    # Millimetres in one pixel, and who says so (``GroundResolutionSource``).
    ground_resolution_mm: Mapped[float | None] = mapped_column(REAL)
    ground_resolution_source: Mapped[str | None] = mapped_column(Text)
    is_too_coarse: Mapped[bool] = mapped_column(server_default=text("false"))
    # As ``shared.contracts.pose.Pose``: heights, angles, focal length, position; each with its unit in its name.
    pose: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
