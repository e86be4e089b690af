"""The lifeline of a chunk's worker at its claim or renewal, and the running programs.

Columns that may be empty, a table and a sequence: programs of the version before go on as they did. What they claim
carries the token of an earlier claim in ``lifeline_of``, and so no lifeline.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE lifelines AS integer CYCLE")
    op.add_column("chunks", sa.Column("lifeline", sa.Integer(), nullable=True))
    op.add_column("chunks", sa.Column("lifeline_of", sa.BigInteger(), nullable=True))
    op.create_table(
        "programs",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_programs")),
    )


def downgrade() -> None:
    op.drop_table("programs")
    op.drop_column("chunks", "lifeline_of")
    op.drop_column("chunks", "lifeline")
    op.execute("DROP SEQUENCE lifelines")
