"""Pauses: work that operators hold back on purpose.

Only a new table: programs of the version before ignore it, and hold nothing back. Roles that may read the chunks, as
KEDA's does to count them, may read the pauses.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

READERS_OF_CHUNKS = """
    DO $$
    DECLARE reader record;
    BEGIN
        FOR reader IN
            SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS name
            FROM pg_class, aclexplode(relacl)
            WHERE oid = 'chunks'::regclass AND privilege_type = 'SELECT' AND grantee <> relowner
        LOOP
            EXECUTE 'GRANT SELECT ON pauses TO ' || reader.name;
        END LOOP;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=True),
        sa.Column("classifier_id", sa.UUID(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("num_nonnulls(tenant_id, classifier_id, worker) <= 1", name=op.f("ck_pauses_one_subject")),
        sa.ForeignKeyConstraint(
            ["classifier_id"], ["classifiers.id"], name=op.f("fk_pauses_classifier_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_pauses_tenant_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    op.create_index(
        "uq_pauses_subject",
        "pauses",
        ["tenant_id", "classifier_id", "worker"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.execute(READERS_OF_CHUNKS)


def downgrade() -> None:
    op.drop_table("pauses")
