"""Jobs: one flight, one greenhouse round."""

import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.states import JobState, Priority
from shared.db.base import Base, CreatedAt, Id, Instant

ZERO = text("0")
ACTIVE = text("state IN ('validating', 'queued', 'running', 'canceling')")
# What counts against the quotas of a tenant.
OPEN = text("state IN ('draft', 'validating', 'queued', 'running', 'canceling')")
# The jobs of retention: those that are over, and those of them whose uploads still exist.
KEPT = "finished_at IS NOT NULL AND deleted_at IS NULL"
# A job without a source has a JSON null there.
WITH_ORIGINALS = f"{KEPT} AND originals_removed_at IS NULL AND (source IS NULL OR source = 'null')"
NEVER_COMMITTED = f"{WITH_ORIGINALS} AND committed_at IS NULL"
# The jobs that say how fast tiles are classified.
MEASURED = "work_total IS NOT NULL AND finished_at IS NOT NULL AND total > 1"
OWN_RETENTION = f"{KEPT} AND (keep_days IS NOT NULL OR keep_originals_days IS NOT NULL)"


class Job(Base):
    """A set of images with its state and counts. ``state`` is written by ``shared.jobs.lifecycle`` alone.

    The counts stand here so that a status needs one row for any number of images; ``pending`` is the rest of
    ``total``. They change once per chunk, in the transaction that stores its results.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("total >= succeeded + failed + rejected + canceled", name="counts_add_up"),
        CheckConstraint("open_chunks >= 0", name="open_chunks_not_negative"),
        Index("ix_jobs_tenant_id_id", "tenant_id", "id"),
        Index("ix_jobs_expires_at", "expires_at", postgresql_where=text(f"state = '{JobState.DRAFT}'")),
        Index(
            "ix_jobs_active",
            "id",
            postgresql_where=ACTIVE,
        ),
        # The position in the queue: the tenant's older jobs that are not over.
        Index("ix_jobs_active_tenant", "tenant_id", "id", postgresql_where=ACTIVE),
        Index("ix_jobs_open_tenant", "tenant_id", postgresql_where=OPEN),
        Index("ix_jobs_kept", "tenant_id", "finished_at", postgresql_where=text(KEPT)),
        Index("ix_jobs_with_originals", "tenant_id", "finished_at", postgresql_where=text(WITH_ORIGINALS)),
        Index("ix_jobs_never_committed", "finished_at", postgresql_where=text(NEVER_COMMITTED)),
        Index("ix_jobs_own_retention", "finished_at", postgresql_where=text(OWN_RETENTION)),
        Index("ix_jobs_measured", "classifier_id", "finished_at", postgresql_where=text(MEASURED)),
        Index(
            "ix_jobs_webhook_endpoint_id",
            "webhook_endpoint_id",
            postgresql_where=text("webhook_endpoint_id IS NOT NULL"),
        ),
        # Counts change often: room on the page keeps those updates out of the indexes (HOT).
        {"postgresql_with": {"fillfactor": "70"}},
    )

    id: Mapped[Id]
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(Text, default=JobState.DRAFT)
    priority: Mapped[str] = mapped_column(Text, default=Priority.BULK)
    name: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default=text("'{}'"))
    source: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # As ``shared.contracts.tiling.Tiling``; NULL: one answer for each photograph.
    tiling: Mapped[dict[str, Any] | str | None] = mapped_column(JSONB(none_as_null=True))
    on_coarse: Mapped[str | None] = mapped_column(Text)
    ground_resolution_mm: Mapped[float | None]
    # Results carry the class activation map of their label.
    explain: Mapped[bool] = mapped_column(server_default=text("false"))
    # Pinned when the job is committed; a job never mixes versions.
    classifier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("classifiers.id"))
    # The endpoint of the job's own `webhook_url`.
    webhook_endpoint_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("webhook_endpoints.id", ondelete="SET NULL")
    )

    total: Mapped[int] = mapped_column(server_default=ZERO)
    succeeded: Mapped[int] = mapped_column(server_default=ZERO)
    failed: Mapped[int] = mapped_column(server_default=ZERO)
    rejected: Mapped[int] = mapped_column(server_default=ZERO)
    canceled: Mapped[int] = mapped_column(server_default=ZERO)
    open_chunks: Mapped[int] = mapped_column(server_default=ZERO)
    # In tiles, known once the photographs are inspected; NULL: a whole photograph is one, and the counts say it all.
    work_total: Mapped[int | None] = mapped_column(BigInteger)
    work_done: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    inspected: Mapped[int] = mapped_column(server_default=ZERO)
    # Last number given to a result: results are numbered in the order in which they become visible.
    last_position: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    # Goes up with every visible change; the ETag is made of it.
    revision: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    # The number of runs of failed images.
    retries: Mapped[int] = mapped_column(server_default=ZERO)
    # The speed of this run is measured from the older of two marks, which move on every half minute.
    done_before: Mapped[int] = mapped_column(server_default=ZERO)
    mark_done: Mapped[int] = mapped_column(server_default=ZERO)
    mark_at: Mapped[Instant | None]
    older_mark_done: Mapped[int | None]
    # The same three in work, for jobs whose work is counted.
    work_before: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    mark_work: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    older_mark_work: Mapped[int | None] = mapped_column(BigInteger)
    older_mark_at: Mapped[Instant | None]
    last_result_at: Mapped[Instant | None]
    progress_event_at: Mapped[Instant | None]
    # The last request that set it going, for the logs; the trace that it belongs to (W3C Trace Context).
    request_id: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)
    # What the client should know before it reads the answers: a list of {"code", "detail"}.
    warnings: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default=text("'[]'"))

    created_at: Mapped[CreatedAt]
    committed_at: Mapped[Instant | None]
    queued_at: Mapped[Instant | None]
    started_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]
    expires_at: Mapped[Instant | None]
    # Days after its end for which the client requests the job, or the uploads; the tenant's retention may be shorter.
    keep_days: Mapped[int | None]
    keep_originals_days: Mapped[int | None]
    # Retention has begun to remove the uploads: from now on nothing of this job can run again.
    originals_removed_at: Mapped[Instant | None]
    deleted_at: Mapped[Instant | None]
