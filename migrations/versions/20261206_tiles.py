"""Tiles: how a job cuts its photographs, what the heads of their files say, and the map of each image's answer.

Programs of the version before go on as they did: what is new is nullable or has a default, the manifest of a classifier
keeps its form (tiles stand in a column of their own), and chunks of jobs with tiles wait in pools that those programs
do not know (``inspect``, ``tiles:…``).

Corrections become rows that are only added. Programs of the version before go on with the table ``corrections``.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def _new_columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "jobs": (
            sa.Column("tiling", JSONB),
            sa.Column("on_coarse", sa.Text()),
            sa.Column("ground_resolution_mm", sa.Float()),
            sa.Column("work_total", sa.BigInteger()),
            sa.Column("work_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
            sa.Column("inspected", sa.Integer(), server_default=sa.text("0"), nullable=False),
            sa.Column("warnings", JSONB, server_default=sa.text("'[]'"), nullable=False),
        ),
        "chunks": (sa.Column("work", sa.Integer()),),
        "classifiers": (sa.Column("tiling", JSONB),),
        "images": (sa.Column("height_above_ground", sa.REAL()),),
        "results": (sa.Column("tile_sums", JSONB),),
    }


def upgrade() -> None:
    for table, columns in _new_columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "image_heads",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("orientation", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("edge", sa.Integer()),
        sa.Column("tiles", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("ground_resolution_mm", sa.REAL()),
        sa.Column("ground_resolution_source", sa.Text()),
        sa.Column("is_too_coarse", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pose", JSONB),
        sa.ForeignKeyConstraint(
            ["job_id", "seq"],
            ["images.job_id", "images.seq"],
            name=op.f("fk_image_heads_job_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_image_heads")),
    )
    op.create_table(
        "tile_maps",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("map", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "seq"],
            ["results.job_id", "results.seq"],
            name=op.f("fk_tile_maps_job_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_tile_maps")),
    )
    op.create_table(
        "correction_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("tile", sa.Integer()),
        sa.Column("label", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("corrected_by", sa.Text()),
        sa.Column("corrected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "seq"],
            ["images.job_id", "images.seq"],
            name=op.f("fk_correction_entries_job_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_entries")),
    )
    op.create_index(
        "ix_correction_entries_standing", "correction_entries", ["job_id", "seq", "tile", "corrected_by", "id"]
    )


def downgrade() -> None:
    op.drop_table("correction_entries")
    op.drop_table("tile_maps")
    op.drop_table("image_heads")
    op.execute("DELETE FROM jobs WHERE tiling IS NOT NULL AND tiling <> 'null'")
    for table, columns in _new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
