"""Outputs of a model by name: crop, embedding and explanation of a result, and the second schema of a manifest.

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


def downgrade() -> None:
    for table, columns in _new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
