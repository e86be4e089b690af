"""The classifiers that jobs can request."""

from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id


class Classifier(Base):
    """A version of a classifier. A version never changes: other weights are another version."""

    __tablename__ = "classifiers"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        Index("ix_classifiers_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    # Without ``tiling`` and what the second schema adds, which programs of the version before would refuse;
    # ``registry.manifest_of`` joins all three.
    manifest: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tiling: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    second_schema: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[CreatedAt]
