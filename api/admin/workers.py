"""``list-workers``: the workers that hold chunks, and those whose signs of life are old."""

import argparse
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text

from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from api.admin.times import short, span
from shared.settings import get_settings

HEADINGS = ("WORKER", "HOLDS", "OF JOBS", "ATTEMPTS", "RENEWED", "LEASE LEFT", "LAST DONE", "DONE SINCE", "DRAINED")
# A worker has no row of its own: it is known by the chunks that it holds or has closed.
LIST = text(
    """
    SELECT worker, EXISTS (
               SELECT 1 FROM pauses p WHERE p.worker IN (chunks.worker, split_part(chunks.worker, ':', 1))) AS drained,
           count(*) FILTER (WHERE state = 'running') AS holds,
           count(DISTINCT job_id) FILTER (WHERE state = 'running') AS jobs,
           max(attempt) FILTER (WHERE state = 'running') AS attempt,
           min(lease_until) FILTER (WHERE state = 'running') - now() AS remains,
           now() - max(done_at) AS idle, count(*) FILTER (WHERE done_at >= now() - :since) AS done
    FROM chunks WHERE worker IS NOT NULL AND (state = 'running' OR done_at >= now() - :since)
    GROUP BY chunks.worker ORDER BY holds DESC, remains, chunks.worker
    """
)
CONNECTED = text(
    """
    SELECT application_name, coalesce(host(client_addr), 'local'), count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'phytobatch-%' AND application_name <> 'phytobatch-admin'
      AND datname = current_database() GROUP BY 1, 2 ORDER BY 1, 2
    """
)
# A pooler lends its connections: who is connected through one is known by its own word alone.
PROGRAMS = text("SELECT kind, name, now() - seen_at AS ago FROM programs ORDER BY kind, name")


def show(arguments: argparse.Namespace) -> str:
    """List workers that hold chunks or closed one lately, and the programs that are connected to the database.

    `RENEWED` is how long ago the oldest lease was renewed: more than two renewals (PHYTOBATCH_LEASE_RENEW_SECONDS)
    is a worker that is dead or cut off. Its chunks come back some seconds after its connection to PostgreSQL ended,
    at the latest when `LEASE LEFT` is over; `requeue --worker` is faster.
    """
    with transaction() as session:
        rows = session.execute(LIST, {"since": arguments.since}).all()
        connected = session.execute(CONNECTED).all()
        seen = [(row.kind, row.name, f"{short(row.ago)} ago") for row in session.execute(PROGRAMS)]
    lease = timedelta(seconds=get_settings().lease_seconds)
    workers = (
        table(HEADINGS, [_row(row, lease) for row in rows])
        if rows
        else f"No worker holds a chunk or closed one in the last {short(arguments.since)}."
    )
    programs = table(("CONNECTED", "FROM", "CONNECTIONS"), connected) if connected else "No program is connected."
    tables = [workers, table(("AT WORK", "NAME", "SEEN"), seen)] if seen else [workers]
    return "\n\n".join([*tables, programs])


def _row(row: Row[Any], lease: timedelta) -> tuple[object, ...]:
    renewed = None if row.remains is None else f"{short(lease - row.remains)} ago"
    left = None if row.remains is None else short(row.remains) if row.remains > timedelta(0) else "over"
    done = None if row.idle is None else f"{short(row.idle)} ago"
    return (row.worker, row.holds, row.jobs, row.attempt, renewed, left, done, row.done, "yes" if row.drained else None)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since", type=span, default=timedelta(hours=1), metavar="1h", help="also those that closed a chunk since"
    )


COMMANDS = (Command("list-workers", "list workers, their chunks, and connected programs", show, _arguments),)
