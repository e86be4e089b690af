"""Events of jobs, written in the transaction of the change."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id


class Event(Base):
    """An event. Each run of a job has exactly one terminal event; events about endpoints have no job."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_job_id_revision", "job_id", "revision"),
        Index("ix_events_tenant_id_created_at", "tenant_id", "created_at"),
        # Events that are deleted before their job.
        Index("ix_events_without_a_job", "id", postgresql_where=text("job_id IS NULL OR type = 'job.progress'")),
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    job_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    # The job's revision of the event: it orders the events of a job independently of clocks.
    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    type: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[CreatedAt]
