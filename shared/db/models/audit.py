"""The audit log: actor, action and subject. A trigger keeps every row as it was written."""

import uuid
from typing import Any

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id


class AuditEntry(Base):
    """A requested change. It refers to no other table, so it outlives its subject; it holds no secret."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_tenant_id_id", "tenant_id", "id"),
        Index("ix_audit_log_subject_id", "subject", "id"),
        Index("ix_audit_log_at", "at"),
    )

    id: Mapped[Id]
    at: Mapped[CreatedAt]
    # ``ActorKind``, and the prefix of the API key or the operator as ``person@host``.
    actor_kind: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    # ``Action``.
    action: Mapped[str] = mapped_column(Text)
    # The tenant of the subject, if it belongs to one.
    tenant_id: Mapped[uuid.UUID | None]
    # The id of the subject: a UUID, the prefix of a key, the name of a tenant, ``leaf@1``.
    subject: Mapped[str] = mapped_column(Text)
    # Counts and names of fields, never their content.
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
