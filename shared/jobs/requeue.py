"""Requeue: work becomes claimable before its time, because an operator knows more than the clock.

None of it is ever necessary: pauses end and leases run out by themselves.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db.session import Database
from shared.jobs.sweep import CrashPolicy, take_back

# Rows that a claim holds right now are skipped: they are on their way already, and nobody waits for anybody.
MAKE_DUE = text(
    """
    UPDATE chunks SET not_before = now()
    WHERE (job_id, no) IN (
        SELECT job_id, no FROM chunks
        WHERE state = 'ready' AND not_before > now() AND (CAST(:job AS uuid) IS NULL OR job_id = :job)
          AND (CAST(:kind AS text) IS NULL OR kind = :kind)
        FOR UPDATE SKIP LOCKED)
    RETURNING 1
    """
)
LEASES = text("SELECT job_id, no, lease_token FROM chunks WHERE state = 'running' AND worker = :worker")
LONGEST = text("SELECT max(lease_until) - now() FROM chunks WHERE state = 'running' AND worker = :worker")
HAND_BACK_ALL = text(
    "UPDATE chunks SET state = 'ready', attempt = greatest(attempt - 1, 0), lease_token = NULL, lease_until = NULL, "
    "not_before = now() WHERE state = 'running' RETURNING 1"
)
# Of exports that they made; those of the version before have a lease of their own, which has run out.
QUEUE_EXPORTS = text("UPDATE exports SET state = 'queued' WHERE state = 'running' AND lease_until IS NULL")
# Tokens of before the backup was taken and of after it must never meet.
SKIP_TOKENS = text("SELECT setval('lease_tokens', nextval('lease_tokens') + 1000000)")


def make_due(session: Session, *, job_id: uuid.UUID | None = None, kind: str | None = None) -> int:
    """End the pauses of ready chunks, of one job or kind or of all; return how many were delayed."""
    return len(session.execute(MAKE_DUE, {"job": job_id, "kind": kind}).all())


@dataclass(frozen=True, slots=True)
class LastRenewal:
    """The last renewal of a worker's leases; ``None``: it holds none."""

    renewed_ago: timedelta | None


def last_renewal(session: Session, worker: str, *, lease_seconds: float) -> LastRenewal:
    """Compute how long ago a worker renewed a lease, where every program has the same ``lease_seconds``."""
    left = session.execute(LONGEST, {"worker": worker}).scalar_one()
    return LastRenewal(None if left is None else timedelta(seconds=lease_seconds) - left)


def take_back_all(database: Database, worker: str, policy: CrashPolicy) -> int:
    """Take back every lease of a worker that is dead. Its attempts count, as after any other crash.

    One that lives after all is fenced out: it finds its token gone, and writes nothing.
    """
    with database.begin() as session:
        held = session.execute(LEASES, {"worker": worker}).all()
    return sum(take_back(database, row.job_id, row.no, row.lease_token, policy, early=True) for row in held)


def forget_leases(session: Session) -> int:
    """Make ready, in a database that was restored, what was leased when it was saved. It costs no attempt.

    Returns:
        How many chunks were leased.
    """
    session.execute(SKIP_TOKENS)
    handed_back = session.execute(HAND_BACK_ALL).all()
    session.execute(QUEUE_EXPORTS)
    return len(handed_back)
