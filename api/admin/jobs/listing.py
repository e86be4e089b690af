"""``list-jobs``: jobs without news for the longest time come first."""

import argparse
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text

from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from api.admin.times import short, span
from shared.access.keys import tenant_named
from shared.contracts.states import JobState
from shared.jobs import pauses

MAX_ROWS = 50
HEADINGS = ("JOB", "TENANT", "STATE", "NO NEWS FOR", "DONE", "FAILED", "WAITS FOR", "NAME")

# The chunks are counted for the jobs that are shown alone. GREATEST passes over NULL.
LIST = text(
    f"""
    WITH shown AS (
        SELECT jobs.*, t.name AS tenant, {pauses.HELD_JOB} AS paused, now() - greatest(
                   jobs.created_at, jobs.committed_at, jobs.queued_at, jobs.started_at, jobs.last_result_at,
                   jobs.finished_at, jobs.deleted_at) AS silence
        FROM jobs JOIN tenants t ON t.id = jobs.tenant_id
        WHERE CASE WHEN CAST(:state AS text) IS NOT NULL THEN jobs.state = :state AND jobs.deleted_at IS NULL
                   WHEN :all THEN true
                   ELSE jobs.state IN ('validating', 'queued', 'running', 'canceling')
                        OR jobs.deleted_at IS NOT NULL END
          AND (CAST(:tenant AS uuid) IS NULL OR jobs.tenant_id = :tenant)),
    first AS (
        SELECT * FROM shown WHERE silence >= :silence
        ORDER BY deleted_at IS NULL AND finished_at IS NOT NULL, silence DESC LIMIT :most)
    SELECT f.id, f.tenant, CASE WHEN f.deleted_at IS NULL THEN f.state ELSE 'deleted' END AS state, f.silence,
           f.succeeded + f.failed + f.rejected + f.canceled AS done, f.total, f.failed, f.finished_at, f.expires_at,
           f.deleted_at, f.name, c.running, c.due, c.later, c.next, f.paused
    FROM first f CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE state = 'running') AS running,
               count(*) FILTER (WHERE state = 'ready' AND not_before <= now()) AS due,
               count(*) FILTER (WHERE state = 'ready' AND not_before > now()) AS later,
               min(not_before) FILTER (WHERE state = 'ready') AS next
        FROM chunks WHERE job_id = f.id AND kind <> 'export') AS c
    ORDER BY f.deleted_at IS NULL AND f.finished_at IS NOT NULL, f.silence DESC
    """  # noqa: S608  # constants
)


def show(arguments: argparse.Namespace) -> str:
    """List jobs that are not over, and deleted ones that are still to be removed; longest without news first.

    Raises:
        NotFound: there is no such tenant.
    """
    with transaction() as session:
        tenant = tenant_named(session, arguments.tenant).id if arguments.tenant else None
        rows = session.execute(
            LIST,
            {
                "state": arguments.state,
                "all": arguments.all,
                "tenant": tenant,
                "silence": arguments.older_than,
                "most": arguments.limit + 1,
            },
        ).all()
    if not rows:
        return "There are no such jobs."
    shown = rows[: arguments.limit]
    more = f"\nThere are more; --limit {2 * arguments.limit} shows them." if len(rows) > len(shown) else ""
    return table(HEADINGS, [_row(row) for row in shown]) + more


def _row(row: Row[Any]) -> tuple[object, ...]:
    return (
        row.id,
        row.tenant,
        row.state,
        short(row.silence),
        f"{row.done}/{row.total}",
        row.failed,
        _waits_for(row),
        row.name,
    )


def _waits_for(row: Row[Any]) -> str:
    """Say what has to happen next; empty for a job that is over."""
    answers = (
        (row.running, f"{row.running} chunks at work, {row.due + row.later} ready"),
        (row.paused and (row.due or row.later), "the end of its pause (`list-pauses`)"),
        (row.due, f"a worker that takes {row.due} ready chunks"),
        (row.later, f"its pause until {row.next:%H:%M:%S}" if row.next else ""),
        (row.state == JobState.DRAFT, f"its commit until {row.expires_at:%m-%d %H:%M}" if row.expires_at else ""),
        (row.finished_at is None, "the next sweep"),
    )
    return next((words for applies, words in answers if applies), "")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", choices=[state.value for state in JobState], help="only those in this state")
    parser.add_argument("--all", action="store_true", help="also drafts, and jobs that are over")
    parser.add_argument("--tenant", metavar="NAME", help="only those of this tenant")
    parser.add_argument(
        "--older-than", type=span, default=timedelta(0), metavar="10m", help="only those without news for so long"
    )
    parser.add_argument("--limit", type=int, default=MAX_ROWS, metavar="N", help=f"most rows (default {MAX_ROWS})")


COMMANDS = (Command("list-jobs", "list jobs that are not over, those that hang first", show, _arguments),)
