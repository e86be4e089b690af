"""An index of the oldest job of a pool, so that a claim need not compare every waiting tenant.

An index, so programs of the version before go on as they did.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_chunks_ready_oldest",
        "chunks",
        ["pool", "priority", "job_id", "tenant_id"],
        postgresql_where=sa.text("state = 'ready'"),
    )


def downgrade() -> None:
    op.drop_index("ix_chunks_ready_oldest", table_name="chunks")
