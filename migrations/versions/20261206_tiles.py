"""Tiles: how a job cuts its photographs, what the heads of their files say, and the map of each image's answer.

Programs of the version before go on as they did: what is new is nullable or has a default, the manifest of a classifier
keeps its form (tiles stand in a column of their own), and chunks of jobs with tiles wait in pools that those programs
do not know (``inspect``, ``tiles:…``), whoever makes them: a trigger puts them there.

Corrections become rows that are only added; a trigger marks the one that counts for an image or tile (``is_valid``).
Programs of the version before go on with the table ``corrections``: what they write there becomes entries, and what
entries say of an image as a whole is written there, by two triggers that the release after this one drops with that
table.
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

# The latest entry of each person stands unless it takes back, and the latest of those is valid: by ``id``, because
# writers of one job follow each other under its lock, and their transactions began in any order.
#
# Each row is looked up by its key, whatever PostgreSQL believes of the tables (as ``shared.db.plans`` does it): the
# statements of a function are planned once for a session, for one correction as for an import of thousands.
DECIDE = """
    CREATE FUNCTION decide_valid_correction() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
    BEGIN
        UPDATE correction_entries SET is_valid = false WHERE id = ANY (ARRAY(
            SELECT was.id FROM (SELECT DISTINCT job_id, seq, tile FROM added) a CROSS JOIN LATERAL (
                SELECT e.id FROM correction_entries e
                WHERE e.job_id = a.job_id AND e.seq = a.seq AND coalesce(e.tile, -1) = coalesce(a.tile, -1)
                  AND e.is_valid
                LIMIT 1) was));
        UPDATE correction_entries SET is_valid = true WHERE id = ANY (ARRAY(
            SELECT latest.id FROM (SELECT DISTINCT job_id, seq, tile FROM added) a CROSS JOIN LATERAL (
                SELECT stands.id FROM (
                    SELECT DISTINCT ON (e.corrected_by) e.id, e.label FROM correction_entries e
                    WHERE e.job_id = a.job_id AND e.seq = a.seq AND coalesce(e.tile, -1) = coalesce(a.tile, -1)
                    ORDER BY e.corrected_by, e.id DESC) stands
                WHERE stands.label IS NOT NULL ORDER BY stands.id DESC LIMIT 1) latest));
        RETURN NULL;
    END $$;
    CREATE TRIGGER decide_valid_correction AFTER INSERT ON correction_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION decide_valid_correction();
"""
# Runs after the trigger above: PostgreSQL goes by their names.
MIRROR = """
    CREATE FUNCTION mirror_valid_correction() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
    BEGIN
        INSERT INTO corrections AS c (job_id, seq, label, note, corrected_by, corrected_at)
        SELECT a.job_id, a.seq, valid.label, valid.note, valid.corrected_by, valid.corrected_at
        FROM (SELECT DISTINCT job_id, seq FROM added WHERE tile IS NULL) a CROSS JOIN LATERAL (
            SELECT e.label, e.note, e.corrected_by, e.corrected_at FROM correction_entries e
            WHERE e.job_id = a.job_id AND e.seq = a.seq AND e.tile IS NULL AND e.is_valid LIMIT 1) valid
        ON CONFLICT (job_id, seq) DO UPDATE
        SET label = excluded.label, note = excluded.note, corrected_by = excluded.corrected_by,
            corrected_at = excluded.corrected_at
        WHERE (c.label, c.note, c.corrected_by, c.corrected_at)
              IS DISTINCT FROM (excluded.label, excluded.note, excluded.corrected_by, excluded.corrected_at);
        DELETE FROM corrections WHERE ctid = ANY (ARRAY(
            SELECT was.ctid FROM (SELECT DISTINCT job_id, seq FROM added WHERE tile IS NULL) a
            CROSS JOIN LATERAL (
                SELECT c.ctid FROM corrections c WHERE c.job_id = a.job_id AND c.seq = a.seq LIMIT 1) was
            LEFT JOIN LATERAL (
                SELECT e.id FROM correction_entries e
                WHERE e.job_id = a.job_id AND e.seq = a.seq AND e.tile IS NULL AND e.is_valid LIMIT 1) valid ON true
            WHERE valid.id IS NULL));
        RETURN NULL;
    END $$;
    CREATE TRIGGER mirror_valid_correction AFTER INSERT ON correction_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION mirror_valid_correction();
"""
# Only what a program says itself: neither what the trigger above writes, nor what goes with its image. A deletion named
# nobody, and those programs expect no correction afterwards, so it is the taking back of everybody's.
ENTER = """
    CREATE FUNCTION enter_correction() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            INSERT INTO correction_entries (job_id, seq, corrected_by)
            SELECT s.job_id, s.seq, theirs.corrected_by FROM said s CROSS JOIN LATERAL (
                SELECT DISTINCT ON (e.corrected_by) e.corrected_by, e.label FROM correction_entries e
                WHERE e.job_id = s.job_id AND e.seq = s.seq AND e.tile IS NULL
                ORDER BY e.corrected_by, e.id DESC) theirs
            WHERE theirs.label IS NOT NULL;
        ELSE
            INSERT INTO correction_entries (job_id, seq, label, note, corrected_by, corrected_at)
            SELECT job_id, seq, label, note, corrected_by, corrected_at FROM said;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER enter_inserted_correction AFTER INSERT ON corrections REFERENCING NEW TABLE AS said
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION enter_correction();
    CREATE TRIGGER enter_updated_correction AFTER UPDATE ON corrections REFERENCING NEW TABLE AS said
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION enter_correction();
    CREATE TRIGGER enter_deleted_correction AFTER DELETE ON corrections REFERENCING OLD TABLE AS said
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION enter_correction();
"""
ADOPT = """
    INSERT INTO correction_entries (job_id, seq, label, note, corrected_by, corrected_at, is_valid)
    SELECT job_id, seq, label, note, corrected_by, corrected_at, true
    FROM corrections ORDER BY corrected_at, job_id, seq
"""

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
            sa.Column("work_before", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
            sa.Column("mark_work", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
            sa.Column("older_mark_work", sa.BigInteger()),
            sa.Column("warnings", JSONB, server_default=sa.text("'[]'"), nullable=False),
        ),
        "chunks": (sa.Column("work", sa.Integer()),),
        "classifiers": (sa.Column("tiling", JSONB),),
        "images": (sa.Column("height_above_ground", sa.REAL()),),
        "results": (sa.Column("tile_sums", JSONB),),
        "tenants": (sa.Column("max_pending_tiles", sa.Integer()),),
    }


LIMITS_OF_TENANTS = (
    "max_pending_images",
    "max_open_jobs",
    "max_running_chunks",
    "requests_per_minute",
    "keep_days_results",
    "keep_days_originals",
)
# An API of the version before commits and retries a tiled job into the pools that its workers know, and their sweep may
# cut it again; they would answer each photograph as a whole.
KEEP_APART = """
    CREATE FUNCTION keep_tiled_work_apart() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM jobs WHERE id = NEW.job_id AND tiling IS NOT NULL) THEN
            NEW.pool := CASE NEW.pool WHEN 'validate' THEN 'inspect'
                        ELSE regexp_replace(NEW.pool, '^(isolated:)?(classify:)?', '\\1tiles:') END;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER keep_tiled_work_apart BEFORE INSERT ON chunks FOR EACH ROW
    WHEN (NEW.pool = 'validate' OR NEW.pool ~ '^(classify:|isolated:(?!tiles:))')
    EXECUTE FUNCTION keep_tiled_work_apart();
"""


def _check_limits(*names: str) -> None:
    name = op.f("ck_tenants_limits_not_negative")
    op.drop_constraint(name, "tenants")
    op.create_check_constraint(name, "tenants", " AND ".join(f"{one} >= 0" for one in names))


def upgrade() -> None:
    for table, columns in _new_columns().items():
        for column in columns:
            op.add_column(table, column)
    _check_limits(LIMITS_OF_TENANTS[0], "max_pending_tiles", *LIMITS_OF_TENANTS[1:])
    op.execute(KEEP_APART)
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
        sa.Column("is_valid", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id", "seq"],
            ["images.job_id", "images.seq"],
            name=op.f("fk_correction_entries_job_id_seq"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_entries")),
    )
    op.create_index(
        "ix_correction_entries_history",
        "correction_entries",
        ["job_id", "seq", sa.literal_column("coalesce(tile, -1)"), "id"],
    )
    op.create_index(
        "uq_correction_entries_image",
        "correction_entries",
        ["job_id", "seq"],
        unique=True,
        postgresql_where=sa.text("is_valid AND tile IS NULL"),
    )
    op.create_index(
        "uq_correction_entries_tile",
        "correction_entries",
        ["job_id", "seq", "tile"],
        unique=True,
        postgresql_where=sa.text("is_valid AND tile IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_measured",
        "jobs",
        ["classifier_id", "finished_at"],
        postgresql_where=sa.text("work_total IS NOT NULL AND finished_at IS NOT NULL AND total > 1"),
    )
    op.execute(ENTER)  # locks out the other programs until the end of this transaction
    op.execute(ADOPT)
    op.execute(DECIDE)
    op.execute(MIRROR)


def downgrade() -> None:
    op.drop_index("ix_jobs_measured", table_name="jobs")
    for trigger in ("enter_inserted_correction", "enter_updated_correction", "enter_deleted_correction"):
        op.execute(f"DROP TRIGGER {trigger} ON corrections")
    op.drop_table("correction_entries")
    for function in ("enter_correction", "decide_valid_correction", "mirror_valid_correction"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("tile_maps")
    op.drop_table("image_heads")
    op.execute("DROP TRIGGER keep_tiled_work_apart ON chunks")
    op.execute("DROP FUNCTION keep_tiled_work_apart")
    _check_limits(*LIMITS_OF_TENANTS)
    op.execute("DELETE FROM jobs WHERE tiling IS NOT NULL AND tiling <> 'null'")
    for table, columns in _new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
