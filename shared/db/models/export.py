"""Background exports, which lie in the object store for a while."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.exports import ExportState
from shared.db.base import Base, CreatedAt, Id, Instant


class Export(Base):
    """One file of the results of a job, made by the worker that holds its chunk (``chunks.export_id``)."""

    __tablename__ = "exports"
    __table_args__ = (
        Index("ix_exports_job_id_id", "job_id", "id"),
        Index("ix_exports_open", "not_before", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_exports_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    format: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(Text, server_default=text(f"'{ExportState.QUEUED}'"))
    # The version before claims exports by these four columns, and no other by its own. While it may run beside ours,
    # who begins an export takes the row, too (``shared.exports.claimed``). A later release drops them.
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[CreatedAt]
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[Instant | None]
    object_key: Mapped[str | None] = mapped_column(Text)
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[Instant | None]
    # When its object is removed.
    expires_at: Mapped[Instant | None]
