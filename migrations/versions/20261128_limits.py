"""The limits of a tenant, the retention of its jobs, and the receipts of removals.

Only new columns, tables and indexes: programs of the version before work on these tables, and set none of it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_TENANTS = (
    "max_pending_images",
    "max_open_jobs",
    "max_running_chunks",
    "requests_per_minute",
    "keep_days_results",
    "keep_days_originals",
)
OPEN = "state IN ('draft', 'validating', 'queued', 'running', 'canceling')"
KEPT = "finished_at IS NOT NULL AND deleted_at IS NULL"
WITH_ORIGINALS = f"{KEPT} AND originals_removed_at IS NULL AND (source IS NULL OR source = 'null')"
NEVER_COMMITTED = f"{WITH_ORIGINALS} AND committed_at IS NULL"
OWN_RETENTION = f"{KEPT} AND (keep_days IS NOT NULL OR keep_originals_days IS NOT NULL)"

INDEXES_OF_JOBS = (
    "ix_jobs_own_retention",
    "ix_jobs_never_committed",
    "ix_jobs_with_originals",
    "ix_jobs_kept",
    "ix_jobs_open_tenant",
)


def upgrade() -> None:
    for name in OF_TENANTS:
        op.add_column("tenants", sa.Column(name, sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_tenants_limits_not_negative"), "tenants", " AND ".join(f"{name} >= 0" for name in OF_TENANTS)
    )
    op.add_column("jobs", sa.Column("keep_days", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("keep_originals_days", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("originals_removed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_jobs_open_tenant", "jobs", ["tenant_id"], postgresql_where=sa.text(OPEN))
    op.create_index("ix_jobs_kept", "jobs", ["tenant_id", "finished_at"], postgresql_where=sa.text(KEPT))
    op.create_index(
        "ix_jobs_with_originals", "jobs", ["tenant_id", "finished_at"], postgresql_where=sa.text(WITH_ORIGINALS)
    )
    op.create_index("ix_jobs_never_committed", "jobs", ["finished_at"], postgresql_where=sa.text(NEVER_COMMITTED))
    op.create_index("ix_jobs_own_retention", "jobs", ["finished_at"], postgresql_where=sa.text(OWN_RETENTION))
    op.create_table(
        "receipts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index("ix_receipts_tenant_id_id", "receipts", ["tenant_id", "id"])
    op.create_index("ix_receipts_job_id", "receipts", ["job_id"])
    op.create_index("ix_receipts_open", "receipts", ["not_before"], postgresql_where=sa.text("checked_at IS NULL"))
    op.create_index("ix_idempotency_keys_tenant_id_location", "idempotency_keys", ["tenant_id", "location"])
    op.create_index(
        "ix_events_without_a_job",
        "events",
        ["id"],
        postgresql_where=sa.text("job_id IS NULL OR type = 'job.progress'"),
    )


def downgrade() -> None:
    op.drop_index("ix_events_without_a_job", table_name="events")
    op.drop_index("ix_idempotency_keys_tenant_id_location", table_name="idempotency_keys")
    op.drop_table("receipts")
    for name in INDEXES_OF_JOBS:
        op.drop_index(name, table_name="jobs")
    for name in ("originals_removed_at", "keep_originals_days", "keep_days"):
        op.drop_column("jobs", name)
    op.drop_constraint(op.f("ck_tenants_limits_not_negative"), "tenants", type_="check")
    for name in reversed(OF_TENANTS):
        op.drop_column("tenants", name)
