"""Webhooks: endpoints, their deliveries, and every attempt."""

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.states import DeliveryState
from shared.db.base import Base, CreatedAt, Id, Instant

ZERO = text("0")
PENDING = text(f"state = '{DeliveryState.PENDING}'")


class SigningSecret(Base):
    """A secret (``whsec_`` and base64). While ``previous`` is valid, deliveries carry two signatures."""

    __tablename__ = "signing_secrets"

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    # The one that signs what goes to the `webhook_url` of a job; every other one belongs to one endpoint.
    for_jobs: Mapped[bool] = mapped_column(server_default=text("false"))
    secret: Mapped[str] = mapped_column(Text)
    previous: Mapped[str | None] = mapped_column(Text)
    previous_until: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
    rotated_at: Mapped[Instant | None]

    __table_args__ = (
        Index("ix_signing_secrets_for_jobs", "tenant_id", unique=True, postgresql_where=text("for_jobs")),
    )


class WebhookEndpoint(Base):
    """An address for events: one that the tenant made, or the ``webhook_url`` of jobs (``per_job``).

    ``consecutive_failures`` and ``open_until`` are its breaker: while that is open, there are no attempts, and none is
    used up; ``failing_since`` is the first failure after the last success.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        Index("ix_webhook_endpoints_tenant_id_id", "tenant_id", "id", postgresql_where=text("NOT per_job")),
        Index("ix_webhook_endpoints_per_job", "tenant_id", "url", unique=True, postgresql_where=text("per_job")),
        CheckConstraint("enabled = (disabled_reason IS NULL)", name="disabled_has_a_reason"),
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    secret_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("signing_secrets.id"))
    per_job: Mapped[bool] = mapped_column(server_default=text("false"))
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    disabled_at: Mapped[Instant | None]
    consecutive_failures: Mapped[int] = mapped_column(server_default=ZERO)
    failing_since: Mapped[Instant | None]
    open_until: Mapped[Instant | None]
    last_success_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]


class WebhookDelivery(Base):
    """The delivery of one event to one endpoint. The event's id is the ``webhook-id``, the same at every attempt."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_event", "event_id", "endpoint_id", unique=True),
        Index("ix_webhook_deliveries_due", "endpoint_id", "next_attempt_at", postgresql_where=PENDING),
        # Deliveries in flight, to be counted for each endpoint.
        Index("ix_webhook_deliveries_leased", "endpoint_id", postgresql_where=text("lease_token IS NOT NULL")),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
        {"postgresql_with": {"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02"}},
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID]
    endpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text(f"'{DeliveryState.PENDING}'"))
    # Where on the schedule the next attempt stands; a redelivery begins it again. ``attempts`` only goes up.
    step: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    attempts: Mapped[int] = mapped_column(server_default=ZERO)
    next_attempt_at: Mapped[CreatedAt]
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
    ended_at: Mapped[Instant | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(Text)


class WebhookAttempt(Base):
    """A POST, or the reason why there was none. ``response``: the first kilobyte of the answer."""

    __tablename__ = "webhook_attempts"

    delivery_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    started_at: Mapped[CreatedAt]
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    response: Mapped[str | None] = mapped_column(Text)
