"""Access: tenants, their API keys, and the requests that they may repeat."""

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, readable

# Each is also a setting.
LIMITS_OF_TENANTS = (
    "max_pending_images",
    "max_pending_tiles",
    "max_open_jobs",
    "max_running_chunks",
    "requests_per_minute",
    "keep_days_results",
    "keep_days_originals",
)


class Tenant(Base):
    """A customer. Nothing of one tenant is ever visible to another."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("weight > 0", name="weight_positive"),
        CheckConstraint(" AND ".join(f"{name} >= 0" for name in LIMITS_OF_TENANTS), name="limits_not_negative"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(Text, unique=True)
    # A tenant with weight 2 gets twice the running chunks of one with weight 1.
    weight: Mapped[int] = mapped_column(server_default=text("1"))
    # Prefixes that this tenant may import from, as ``s3://bucket/prefix``.
    s3_sources: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    # NULL: the setting of the same name holds; 0: no limit, or for ever (``shared.limits``).
    max_pending_images: Mapped[int | None]
    max_pending_tiles: Mapped[int | None]
    max_open_jobs: Mapped[int | None]
    max_running_chunks: Mapped[int | None]
    requests_per_minute: Mapped[int | None]
    keep_days_results: Mapped[int | None]
    keep_days_originals: Mapped[int | None]
    created_at: Mapped[CreatedAt]


class ApiKey(Base):
    """A key of a tenant. ``prefix`` finds the row, ``digest`` (SHA-256 of the whole key) proves it."""

    __tablename__ = "api_keys"
    __table_args__ = (readable("expires_at"),)

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]


class IdempotencyKey(Base):
    """The first answer to a request that creates, kept for its repetitions."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_expires_at", "expires_at"),
        # Answers that show a job go with it.
        Index("ix_idempotency_keys_tenant_id_location", "tenant_id", "location"),
    )

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    # SHA-256 of the request: method, path and content.
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    # While the first request runs there is no status; after ``locked_until`` it counts as dead.
    locked_until: Mapped[Instant]
    status: Mapped[int | None]
    location: Mapped[str | None] = mapped_column(Text)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Instant]
