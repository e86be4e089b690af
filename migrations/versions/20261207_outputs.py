"""Outputs of a model by name: crop, embedding and explanation of a result, and the second schema of a manifest.

``tile_explanations`` has what clients ask of single tiles, for some minutes. Its chunks lie in pools that programs of
the version before do not know, and are counted in ``open_chunks``, so that those close them as any other.

Programs of the version before go on as they did: what is new is nullable or has a default, and the manifest of a
classifier keeps its form; what the second schema adds stands in a column of its own.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _new_columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "jobs": (sa.Column("explain", sa.Boolean(), server_default=sa.text("false"), nullable=False),),
        "results": (
            sa.Column("crop", sa.Text()),
            sa.Column("embedding", sa.LargeBinary()),
            sa.Column("explanation", sa.LargeBinary()),
        ),
        "classifiers": (sa.Column("second_schema", postgresql.JSONB(astext_type=sa.Text())),),
    }


def upgrade() -> None:
    for table, columns in _new_columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "tile_explanations",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tile", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("explanation", sa.LargeBinary(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id", "seq"],
            ["results.job_id", "results.seq"],
            name=op.f("fk_tile_explanations_job_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "seq", "tile", name=op.f("pk_tile_explanations")),
    )


def downgrade() -> None:
    # Every job counts its open chunks, also those that nobody will take any more.
    op.execute(
        "UPDATE jobs SET open_chunks = open_chunks - (SELECT count(*) FROM chunks WHERE job_id = jobs.id "
        "AND kind = 'explain' AND state <> 'done') WHERE id IN (SELECT job_id FROM chunks WHERE kind = 'explain')"
    )
    op.execute("DELETE FROM chunks WHERE kind = 'explain'")
    op.drop_table("tile_explanations")
    for table, columns in _new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
