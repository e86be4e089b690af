"""The review reason of a result, and the runtime of its classifier."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("results", sa.Column("review_reason", sa.Text(), nullable=True))
    op.add_column("results", sa.Column("runtime", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("results", "runtime")
    op.drop_column("results", "review_reason")
