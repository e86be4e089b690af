"""Removal of moments that can be stored but never read, and constraints against new ones.

API and sidecar accepted a ``captured_at`` outside of the years 1 to 9999 in UTC, and from then on results, summary and
exports of its job answered 500. Such a time is set to NULL; the image and its answer stay. So is the end of a key that
lies behind the year 9999.

The rows first, while the tables are in use: the constraints need their tables for themselves, and hold them for a
moment only, because they are not valid for what is there already. Programs of the version before go on; what they would
store wrongly is refused.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A key that was to expire after the year 9999 never does.
COLUMNS = (("images", "captured_at"), ("results", "captured_at"), ("api_keys", "expires_at"))


def _readable(column: str) -> str:
    return f"{column} >= '0001-01-01T00:00:00Z' AND {column} < '10000-01-01T00:00:00Z'"


def upgrade() -> None:
    for table, column in COLUMNS:
        op.execute(f"UPDATE {table} SET {column} = NULL WHERE NOT ({_readable(column)})")  # noqa: S608  # names of ours
    for table, column in COLUMNS:
        name = f"ck_{table}_{column}_readable"
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({_readable(column)}) NOT VALID")


def downgrade() -> None:
    for table, column in COLUMNS:
        op.drop_constraint(f"{column}_readable", table, type_="check")
