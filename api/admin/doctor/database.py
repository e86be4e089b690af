"""PostgreSQL: reachable, new enough, migrated, not full."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject
from shared.db.schema import Schema
from shared.errors import DatabaseUnavailable

# Major versions of PostgreSQL that the tests run on; docs/installation.md names them.
OLDEST, NEWEST = 15, 18
FULL = 0.8
GIBIBYTE = 1024**3
LONG_SECONDS = 300


def connection(subject: Subject) -> Iterator[Finding]:
    """Check that it answers, and its version."""
    try:
        row = subject.row(
            "SELECT current_setting('server_version') AS version, "
            "current_setting('server_version_num')::int / 10000 AS major"
        )
    except (DatabaseUnavailable, SQLAlchemyError) as error:
        cause = str(getattr(error.__cause__, "orig", None) or error).strip().splitlines()[0]
        yield fail(
            "database", f"cannot be reached: {cause}", "check PHYTOBATCH_DATABASE_URL, the server and the network"
        )
        return
    yield judge(row.version, row.major)


def judge(version: str, major: int) -> Finding:
    """Judge whether this version of PostgreSQL is supported."""
    if major < OLDEST:
        return fail("database", f"is PostgreSQL {version}, which is too old", f"use PostgreSQL {OLDEST} to {NEWEST}")
    if major > NEWEST:
        return warn(
            "database",
            f"is PostgreSQL {version}, newer than any that this version was tried with",
            f"use PostgreSQL {OLDEST} to {NEWEST}, or a newer version of this service",
        )
    return ok("database", f"PostgreSQL {version} answers")


def migrations(subject: Subject) -> Iterator[Finding]:
    """Check that the tables are those of this program."""
    schema = Schema()
    fault = schema.fault(subject.database)
    if fault is not None:
        yield fail("migrations", fault, "run `python -m api.admin migrate` with the newest version that is to run")
        return
    stored = subject.row("SELECT version_num FROM alembic_version").version_num
    if stored == schema.head:
        yield ok("migrations", f"at {stored}, as this program wants it")
    else:
        yield warn(
            "migrations",
            f"at {stored}, this program knows {schema.head}: a newer version has migrated",
            "in the middle of an upgrade that is right; otherwise upgrade the programs that are old",
        )


def safety(subject: Subject) -> Iterator[Finding]:
    """Check that commits survive a power cut."""
    row = subject.row(
        "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages, "
        "current_setting('synchronous_commit') AS commit"
    )
    off = [name for name, value in row._asdict().items() if value == "off"]
    if off:
        yield warn("durability", f"{', '.join(off)} is off: a power cut may lose or damage data", "turn it on")
    else:
        yield ok("durability", "what is committed survives a power cut")


def connections(subject: Subject) -> Iterator[Finding]:
    """Check that more programs could connect."""
    row = subject.row(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used, "
        "current_setting('max_connections')::int AS most"
    )
    detail = f"{row.used} of {row.most} are in use"
    if row.used > FULL * row.most:
        yield warn("connections", detail, "raise max_connections, or run fewer API processes and workers")
    else:
        yield ok("connections", detail)


def size(subject: Subject) -> Iterator[Finding]:
    """Report the size of the database, and a transaction that keeps it from being cleaned up."""
    row = subject.row(
        "SELECT pg_database_size(current_database()) AS bytes, coalesce(max(extract(epoch FROM now() - xact_start)), 0)"
        " AS oldest FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    detail = f"{row.bytes / GIBIBYTE:.2f} GiB"
    if row.oldest > LONG_SECONDS:
        yield warn(
            "database size",
            f"{detail}; a transaction is open for {row.oldest:.0f} s and keeps dead rows from being removed",
            "find it in pg_stat_activity (a backup is one, and ends) and end it",
        )
    else:
        yield ok("database size", detail)


CHECKS: tuple[Check, ...] = (connection, migrations, safety, connections, size)
