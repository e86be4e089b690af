"""Backups: the age of the last one, and of the last drill."""

from collections.abc import Iterator
from datetime import timedelta

from api.admin.doctor.finding import Check, Finding, ok, warn
from api.admin.doctor.subject import Subject
from api.admin.times import short

# Twice what `schedule` waits by default. The alert PhytobatchBackupOld has the same.
OLD = timedelta(days=2)
# Whoever has had jobs for so long has something to lose.
YOUNG = timedelta(days=7)
DRILL = timedelta(days=90)
LAST = """
    SELECT now() - max(taken_at) FILTER (WHERE what = 'made') AS made,
           now() - max(created_at) FILTER (WHERE what = 'drilled') AS drilled,
           now() - (SELECT min(created_at) FROM tenants) AS running
    FROM backups
"""


def last(subject: Subject) -> Iterator[Finding]:
    """Check the age of the last backup and of the last drill."""
    row = subject.row(LAST)
    if row.made is None:
        if row.running is not None and row.running > YOUNG:
            yield warn(
                "backup",
                f"none was noted, and this installation is {short(row.running)} old",
                "`python -m deploy.backup schedule`, or another way of yours (docs/maintenance.md)",
            )
        else:
            yield ok("backup", "none was noted yet")
        return
    if row.made > OLD:
        yield warn("backup", f"the last one is {short(row.made)} old", "look at the process that makes them")
        return
    yield ok("backup", f"the last one is {short(row.made)} old")
    if row.running is not None and row.running > DRILL and (row.drilled is None or row.drilled > DRILL):
        when = "never" if row.drilled is None else f"{short(row.drilled)} ago"
        yield warn("drill", f"a backup was last restored {when}", "`python -m deploy.backup drill`")


CHECKS: tuple[Check, ...] = (last,)
