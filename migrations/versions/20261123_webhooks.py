"""Webhooks, their deliveries and attempts; retries of jobs; the marks for the speed of a job."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "signing_secrets",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("for_jobs", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_signing_secrets_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_secrets")),
    )
    op.create_index(
        "ix_signing_secrets_for_jobs",
        "signing_secrets",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("for_jobs"),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("secret_id", sa.UUID(), nullable=False),
        sa.Column("per_job", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "enabled = (disabled_reason IS NULL)", name=op.f("ck_webhook_endpoints_disabled_has_a_reason")
        ),
        sa.ForeignKeyConstraint(["secret_id"], ["signing_secrets.id"], name=op.f("fk_webhook_endpoints_secret_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_webhook_endpoints_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        "ix_webhook_endpoints_per_job",
        "webhook_endpoints",
        ["tenant_id", "url"],
        unique=True,
        postgresql_where=sa.text("per_job"),
    )
    op.create_index(
        "ix_webhook_endpoints_tenant_id_id",
        "webhook_endpoints",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("NOT per_job"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("step", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_token", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_webhook_deliveries_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        postgresql_with={"fillfactor": "70", "autovacuum_vacuum_scale_factor": "0.02"},
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_webhook_deliveries_leased",
        "webhook_deliveries",
        ["endpoint_id"],
        unique=False,
        postgresql_where=sa.text("lease_token IS NOT NULL"),
    )
    op.create_index("ix_webhook_deliveries_endpoint_id_id", "webhook_deliveries", ["endpoint_id", "id"], unique=False)
    op.create_index("ix_webhook_deliveries_event", "webhook_deliveries", ["event_id", "endpoint_id"], unique=True)
    op.create_table(
        "webhook_attempts",
        sa.Column("delivery_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_deliveries.id"], name=op.f("fk_webhook_attempts_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", "id", name=op.f("pk_webhook_attempts")),
    )
    op.add_column("events", sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.alter_column("events", "job_id", existing_type=sa.UUID(), nullable=True)
    op.drop_index(op.f("ix_events_job_id_id"), table_name="events")
    op.create_index("ix_events_job_id_revision", "events", ["job_id", "revision"], unique=False)
    op.create_index("ix_events_tenant_id_created_at", "events", ["tenant_id", "created_at"], unique=False)
    op.create_foreign_key(op.f("fk_events_tenant_id"), "events", "tenants", ["tenant_id"], ["id"], ondelete="CASCADE")
    op.add_column("jobs", sa.Column("webhook_endpoint_id", sa.UUID(), nullable=True))
    op.add_column("jobs", sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("jobs", sa.Column("done_before", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("jobs", sa.Column("mark_done", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("jobs", sa.Column("mark_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("older_mark_done", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("older_mark_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("last_result_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("progress_event_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_jobs_active_tenant",
        "jobs",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('validating', 'queued', 'running', 'canceling')"),
    )
    op.create_index(
        "ix_jobs_webhook_endpoint_id",
        "jobs",
        ["webhook_endpoint_id"],
        unique=False,
        postgresql_where=sa.text("webhook_endpoint_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_jobs_webhook_endpoint_id"),
        "jobs",
        "webhook_endpoints",
        ["webhook_endpoint_id"],
        ["id"],
        ondelete="SET NULL",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_jobs_webhook_endpoint_id"), "jobs", type_="foreignkey")
    op.drop_index(
        "ix_jobs_webhook_endpoint_id", table_name="jobs", postgresql_where=sa.text("webhook_endpoint_id IS NOT NULL")
    )
    op.drop_index(
        "ix_jobs_active_tenant",
        table_name="jobs",
        postgresql_where=sa.text("state IN ('validating', 'queued', 'running', 'canceling')"),
    )
    op.drop_column("jobs", "progress_event_at")
    op.drop_column("jobs", "last_result_at")
    op.drop_column("jobs", "older_mark_at")
    op.drop_column("jobs", "older_mark_done")
    op.drop_column("jobs", "mark_at")
    op.drop_column("jobs", "mark_done")
    op.drop_column("jobs", "done_before")
    op.drop_column("jobs", "retries")
    op.drop_column("jobs", "webhook_endpoint_id")
    op.drop_constraint(op.f("fk_events_tenant_id"), "events", type_="foreignkey")
    op.drop_index("ix_events_tenant_id_created_at", table_name="events")
    op.drop_index("ix_events_job_id_revision", table_name="events")
    op.create_index(op.f("ix_events_job_id_id"), "events", ["job_id", "id"], unique=False)
    op.execute("DELETE FROM events WHERE job_id IS NULL")  # about endpoints, which are gone then
    op.alter_column("events", "job_id", existing_type=sa.UUID(), nullable=False)
    op.drop_column("events", "revision")
    op.drop_table("webhook_attempts")
    op.drop_index(
        "ix_webhook_deliveries_leased",
        table_name="webhook_deliveries",
        postgresql_where=sa.text("lease_token IS NOT NULL"),
    )
    op.drop_index("ix_webhook_deliveries_event", table_name="webhook_deliveries")
    op.drop_index("ix_webhook_deliveries_endpoint_id_id", table_name="webhook_deliveries")
    op.drop_index(
        "ix_webhook_deliveries_due", table_name="webhook_deliveries", postgresql_where=sa.text("state = 'pending'")
    )
    op.drop_table("webhook_deliveries")
    op.drop_index(
        "ix_webhook_endpoints_tenant_id_id", table_name="webhook_endpoints", postgresql_where=sa.text("NOT per_job")
    )
    op.drop_index("ix_webhook_endpoints_per_job", table_name="webhook_endpoints", postgresql_where=sa.text("per_job"))
    op.drop_table("webhook_endpoints")
    op.drop_index("ix_signing_secrets_for_jobs", table_name="signing_secrets", postgresql_where=sa.text("for_jobs"))
    op.drop_table("signing_secrets")
