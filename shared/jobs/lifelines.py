"""Lifelines: they show at once that a worker is gone, long before its leases run out.

A worker holds one connection that belongs to it alone, and on it an advisory lock with a number of its own, which
stands in every chunk that it holds. When the process ends, however it ends, the kernel closes its sockets, PostgreSQL
ends the session, and the lock is free: whoever can take it knows that its worker is gone. A number is never taken
again: a worker that lost its connection and lives takes another, and writes that into its chunks.

A lifeline only ever shortens the wait for a lease. Who writes names its token, as always; so a chunk that was taken
from a worker that lives after all costs an attempt, never an answer.
"""

from typing import Any

import psycopg
from sqlalchemy import text

from shared.db.session import Database
from shared.jobs.sweep import BATCH, CrashPolicy, take_back

# The first of the two numbers of our locks: "life". Advisory locks of one number (claims, migrations) are others.
CLASS = 0x6C696665

# A number, and the lock with it; nobody else can have one that is new.
HOLD = "SELECT number, pg_advisory_lock(%(class)s, number) FROM (SELECT nextval('lifelines')::integer AS number) AS new"
# A lock that can be taken has no worker; it is given back at the end of the statement.
ENDED = """
    SELECT lifeline FROM (
        SELECT DISTINCT lifeline FROM chunks
        WHERE state = 'running' AND lifeline_of = lease_token AND lifeline <> %(own)s) AS named
    WHERE pg_try_advisory_xact_lock(%(class)s, lifeline)
"""
HELD_BY = text(
    "SELECT job_id, no, lease_token FROM chunks "
    "WHERE state = 'running' AND lifeline = :lifeline AND lifeline_of = lease_token LIMIT :limit"
)

Connection = psycopg.Connection[Any]


def hold(connection: Connection) -> int:
    """Take a new lifeline, which lasts as long as this connection (in autocommit); return its number."""
    row = connection.execute(HOLD, {"class": CLASS}).fetchone()
    assert row is not None  # noqa: S101  # a SELECT without a condition has a row
    return int(row[0])


def ended(connection: Connection, *, own: int) -> set[int]:
    """Find the lifelines of running chunks whose worker is gone, or has lost its connection at this moment."""
    return {int(row[0]) for row in connection.execute(ENDED, {"class": CLASS, "own": own}).fetchall()}


def take_back_from(database: Database, lifeline: int, policy: CrashPolicy) -> int:
    """Take back the chunks that still name this lifeline, as if their leases had run out; return how many.

    Raises:
        DatabaseUnavailable: Postgres is away.
    """
    with database.begin() as session:
        held = session.execute(HELD_BY, {"lifeline": lifeline, "limit": BATCH}).all()
    return sum(take_back(database, row.job_id, row.no, row.lease_token, policy, lifeline=lifeline) for row in held)
