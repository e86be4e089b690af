"""Exports are chunks: a column that names the export of a chunk, and a chunk for each export that is not made yet.

Programs of the version before go on as they did. Their workers claim rows of ``exports`` and know no pool ``export``;
whichever worker begins an export takes it from the others (``shared.exports.claimed``). What their API adds gets its
chunk from the next sweep. Their cancel closes every ready chunk of a job and counts it off, which must not happen to
exports: a trigger keeps those open. The release after this one drops the trigger, and the columns by which exports were
claimed (``attempt``, ``not_before``, ``lease_token``, ``lease_until``).

Who goes back to the programs of the version before while a worker of this one was killed at an export finds it
``running`` until this version comes again, or until this migration is taken back; a worker that is stopped hands its
export over.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEEP_OPEN = """
    CREATE FUNCTION keep_export_chunk_open() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM exports WHERE id = OLD.export_id AND state IN ('queued', 'running')) THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER keep_export_chunk_open BEFORE UPDATE ON chunks FOR EACH ROW
    WHEN (OLD.export_id IS NOT NULL AND OLD.state = 'ready' AND NEW.state = 'done')
    EXECUTE FUNCTION keep_export_chunk_open();
"""
# The table is locked by the column that was added, so no other transaction has read a number that it still has to use.
ADOPT = """
    INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, state, attempt, not_before, export_id)
    SELECT e.job_id, coalesce((SELECT max(no) + 1 FROM chunks c WHERE c.job_id = e.job_id), 0)
               + row_number() OVER (PARTITION BY e.job_id ORDER BY e.id) - 1,
           e.tenant_id, 'export', 'export', 1, 'ready', e.attempt, coalesce(e.lease_until, e.not_before), e.id
    FROM exports e JOIN jobs j ON j.id = e.job_id
    WHERE e.state IN ('queued', 'running') AND j.deleted_at IS NULL
"""


def upgrade() -> None:
    op.add_column("chunks", sa.Column("export_id", sa.UUID(), nullable=True))
    op.create_foreign_key(op.f("fk_chunks_export_id"), "chunks", "exports", ["export_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_chunks_export_id", "chunks", ["export_id"], postgresql_where=sa.text("export_id IS NOT NULL"))
    op.add_column("exports", sa.Column("error_code", sa.Text(), nullable=True))
    op.execute(KEEP_OPEN)
    op.execute(ADOPT)


def downgrade() -> None:
    op.execute("DELETE FROM chunks WHERE kind = 'export'")
    op.execute(
        "UPDATE exports SET state = 'queued', lease_token = NULL WHERE state = 'running' AND lease_until IS NULL"
    )
    op.execute("DROP TRIGGER keep_export_chunk_open ON chunks")
    op.execute("DROP FUNCTION keep_export_chunk_open")
    op.drop_column("exports", "error_code")
    op.drop_index("ix_chunks_export_id", table_name="chunks")
    op.drop_constraint(op.f("fk_chunks_export_id"), "chunks", type_="foreignkey")
    op.drop_column("chunks", "export_id")
