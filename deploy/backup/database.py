"""The database: saved as of one moment, restored into an empty one."""

from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString, TypeAlias

import psycopg
from psycopg import sql

from deploy.backup import programs
from deploy.backup.errors import BackupError, ServersNotEmpty
from deploy.backup.programs import Server
from shared.db.session import is_direct

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"

CONNECT_SECONDS = 5
# Our tables, without those of extensions: a restore would collide with them.
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace "
    "ORDER BY relname"
)
VERSION = "SELECT current_setting('server_version_num')::int / 10000"
COUNT = sql.SQL("SELECT count(*) FROM {}")
# What pg_dump and pg_restore set for their session would stay on a connection that the next program gets.
POOLER = (
    "PHYTOBATCH_DATABASE_URL leads to a pooler, and pg_dump would leave settings behind on its connections; set it to "
    "the address of PostgreSQL itself for this command"
)
# Owners and rights belong to an installation, not to its data.
PLAIN = ("--no-owner", "--no-privileges")


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of the database at the moment of the dump; ``postgres`` is the server's major version."""

    taken_at: str
    migration: str | None
    postgres: int
    rows: dict[str, int]


def dump(server: Server, to: Path, *, folder: Path | None = None) -> Moment:
    """Save the database while programs go on working.

    A transaction of ours exports its snapshot, and ``pg_dump`` uses the same: the counts are those of the dump.

    Raises:
        ProgramFailed: ``pg_dump`` is missing, too old, or failed.
        BackupError: the database cannot be reached.
    """
    with _connected(server) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = _row(connection, "SELECT pg_export_snapshot()")
        moment = _moment(connection)
        program = programs.find("pg_dump", server=moment.postgres, folder=folder)
        arguments = ["--format=custom", *PLAIN, f"--snapshot={snapshot}", f"--file={to}"]
        programs.run(program, arguments, server)
    return moment


def check_fits(server: Server, expected: Moment) -> None:
    """Check that nothing is in the way of a restore.

    Raises:
        ServersNotEmpty: there are tables.
        BackupError: the database cannot be reached, or its server is older than the saved one.
    """
    with _connected(server) as connection:
        tables = [str(name) for (name,) in connection.execute(TABLES)]
        version = _version(connection)
    if tables:
        raise ServersNotEmpty(
            f"the database has tables already ({', '.join(tables[:3])}, …); stop every program, and restore into an "
            "empty one (CREATE DATABASE)"
        )
    if version < expected.postgres:
        raise BackupError(f"this is PostgreSQL {version}, and the backup is of {expected.postgres}; use a newer server")


def restore(server: Server, dump_file: Path, expected: Moment, *, folder: Path | None = None) -> None:
    """Restore the database, whole or not at all, and compare its counts with those of the dump.

    Raises:
        ProgramFailed: ``pg_restore`` is missing, too old, or failed.
        BackupError: the database cannot be reached, or its counts differ from the saved ones.
    """
    with _connected(server) as connection:
        program = programs.find("pg_restore", server=_version(connection), folder=folder)
    programs.run(program, ["--single-transaction", "--exit-on-error", *PLAIN, str(dump_file)], server)
    with _connected(server) as connection:
        counts = _counts(connection)
        connection.commit()
        connection.execute("ANALYZE")  # The planner knows nothing of restored tables.
    if counts != expected.rows:
        differ = [name for name in expected.rows | counts if expected.rows.get(name) != counts.get(name)]
        raise BackupError(f"the restored tables {', '.join(differ)} have other counts than the backup; do not use them")


def _version(connection: Connection) -> int:
    return int(str(_row(connection, VERSION)[0]))


def _connected(server: Server) -> Connection:
    try:
        connection = psycopg.connect(
            server.conninfo, connect_timeout=CONNECT_SECONDS, application_name="phytobatch-backup"
        )
    except psycopg.OperationalError as error:
        raise BackupError(
            f"the database cannot be reached; check PHYTOBATCH_DATABASE_URL ({str(error).splitlines()[0]})"
        ) from None
    direct = is_direct(connection)
    connection.rollback()
    if not direct:
        connection.close()
        raise BackupError(POOLER)
    return connection


def _moment(connection: Connection) -> Moment:
    (taken_at,) = _row(connection, "SELECT to_json(now()) #>> '{}'")
    rows = _counts(connection)
    migration = _row(connection, "SELECT version_num FROM alembic_version")[0] if "alembic_version" in rows else None
    if "jobs" not in rows:
        raise BackupError("the database has no tables of ours; is PHYTOBATCH_DATABASE_URL the right one?")
    return Moment(str(taken_at), None if migration is None else str(migration), _version(connection), rows)


def _counts(connection: Connection) -> dict[str, int]:
    names = [str(name) for (name,) in connection.execute(TABLES).fetchall()]
    return {name: int(str(_row(connection, COUNT.format(sql.Identifier(name)))[0])) for name in names}


def _row(connection: Connection, query: LiteralString | sql.Composed) -> tuple[object, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise BackupError("the database gave no answer; try again")
    return row
