"""The work itself: its progress, and what ended badly."""

from collections.abc import Iterator
from datetime import timedelta

from api.admin.dead_letters.letters import FAULTS
from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject
from api.admin.times import short
from shared.jobs import pauses
from shared.programs import ProgramKind

OVERDUE = timedelta(minutes=1)
QUIET = timedelta(minutes=15)
STATE = """
    SELECT (SELECT count(*) FROM chunks WHERE state = 'running' AND lease_until < now() - :overdue) AS overdue,
           (SELECT count(*) FROM jobs WHERE state IN ('validating', 'queued', 'running', 'canceling')) AS jobs,
           (SELECT count(*) FROM jobs WHERE state IN ('validating', 'queued', 'running', 'canceling')
              AND greatest(committed_at, queued_at, started_at, last_result_at) < now() - :quiet) AS quiet,
           (SELECT count(*) FROM jobs WHERE deleted_at < now() - :quiet) AS undeleted,
           (SELECT count(*) FROM results WHERE status = 'failed' AND error_code = ANY(:faults)
              AND finished_at > now() - interval '1 day') AS dead,
           (SELECT count(*) FROM exports WHERE state IN ('queued', 'running')) AS exports,
           (SELECT count(*) FROM exports WHERE state = 'failed' AND error_code = 'worker_crashed'
              AND finished_at > now() - interval '1 day') AS dead_exports
"""


def progress(subject: Subject) -> Iterator[Finding]:
    """Check that leases are taken back, jobs move and deleted ones go."""
    row = subject.row(STATE, overdue=OVERDUE, quiet=QUIET, faults=list(FAULTS))
    if row.overdue:
        yield fail(
            "sweep",
            f"{row.overdue} leases ran out more than {short(OVERDUE)} ago, and nobody took them back",
            "start beat and a worker: each of them sweeps",
        )
    if (row.jobs or row.exports) and not subject.count_running(ProgramKind.WORKER):
        work = f"{row.jobs} jobs and {row.exports} exports" if row.exports else f"{row.jobs} jobs"
        yield fail("workers", f"{work} are to be done, and no worker is at work", "start a worker")
    elif row.quiet:
        yield warn(
            "jobs",
            f"{row.quiet} of {row.jobs} jobs at work have had no news for {short(QUIET)}",
            "`python -m api.admin list-jobs` says what they wait for",
        )
    else:
        yield ok("jobs", f"{row.jobs} at work, each of them moves" if row.jobs else "none at work")
    if row.undeleted:
        yield warn("removal", f"{row.undeleted} deleted jobs are still here", "`python -m api.admin purge`")
    if row.dead or row.dead_exports:
        exports = f", and {row.dead_exports} exports lost their worker every time" if row.dead_exports else ""
        yield warn(
            "dead letters",
            f"{row.dead} images failed in a day for no fault of theirs{exports}",
            "`python -m api.admin dead-letters` lists them, `dead-letters retry` runs them again",
        )


def paused(subject: Subject) -> Iterator[Finding]:
    """Report work that operators hold back, which they may have forgotten."""
    with subject.database.begin() as session:
        paused = pauses.pauses(session)
    for one in paused:
        because = f", because: {one.reason}" if one.reason else ""
        yield warn(
            "paused",
            f"{one.scope} {one.name}".strip() + f", for {short(one.age)}, by {one.actor}{because}",
            "`resume`, `resume-tenant`, `resume-pool` or `undrain-worker` ends it",
        )


CHECKS: tuple[Check, ...] = (paused, progress)
