"""Receipts: what was removed, when and why, without its content."""

import uuid
from typing import Any

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant


class Receipt(Base):
    """A removal. It refers to no other table, so it outlives the job and the tenant.

    It is also the list of remaining work: of ``originals`` until ``completed_at``, and of everything until
    ``checked_at``, because a client with a valid upload URL may write an object after the removal.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        Index("ix_receipts_tenant_id_id", "tenant_id", "id"),
        Index("ix_receipts_job_id", "job_id"),
        Index("ix_receipts_open", "not_before", postgresql_where=text("checked_at IS NULL")),
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID]
    job_id: Mapped[uuid.UUID]
    # ``Removed`` and ``RemovalReason``.
    what: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    # The name of the API key, or the operator's program; NULL: the service itself.
    requested_by: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[CreatedAt]
    completed_at: Mapped[Instant | None]
    checked_at: Mapped[Instant | None]
    not_before: Mapped[CreatedAt]
    # Counts by kind: {"images": 60, "results": 60, "objects": 60, "bytes": 28800000, ...}.
    removed: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
