"""``show-job``: everything about one job."""

import argparse
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.jobs.ending import job_argument
from api.admin.table import table
from api.admin.times import short
from shared.db.plans import RESULTS_WITH_IMAGE
from shared.errors import NotFound

JOB = text(
    """
    SELECT j.*, t.name AS tenant, c.name || '@' || c.version AS classifier, e.url AS webhook_url, now() AS now
    FROM jobs j JOIN tenants t ON t.id = j.tenant_id LEFT JOIN classifiers c ON c.id = j.classifier_id
    LEFT JOIN webhook_endpoints e ON e.id = j.webhook_endpoint_id WHERE j.id = :job
    """
)
CHUNKS = text(
    """
    SELECT kind, state, attempt, isolated, count(*),
           CASE WHEN state = 'ready' AND min(not_before) > now() THEN min(not_before) - now() END
    FROM chunks WHERE job_id = :job GROUP BY kind, state, attempt, isolated ORDER BY min(no)
    """
)
LEASES = text(
    """
    SELECT no, worker, kind, attempt, first_seq, last_seq, lease_until - now() FROM chunks
    WHERE job_id = :job AND state = 'running' ORDER BY no
    """
)
ERRORS = text(
    f"""
    SELECT r.status, r.error_code, count(*), (array_agg(i.name ORDER BY r.position DESC))[1],
           (array_agg(r.error_detail ORDER BY r.position DESC))[1]
    FROM {RESULTS_WITH_IMAGE}
    WHERE r.job_id = :job AND r.status IN ('failed', 'rejected') GROUP BY 1, 2 ORDER BY 3 DESC
    """  # noqa: S608  # a text of shared.db.plans
)
EVENTS = text(
    """
    SELECT e.created_at, e.type, count(d.id), count(d.id) FILTER (WHERE d.state = 'delivered'),
           count(d.id) FILTER (WHERE d.state = 'failed')
    FROM events e LEFT JOIN webhook_deliveries d ON d.event_id = e.id
    WHERE e.job_id = :job AND e.type <> 'job.progress' GROUP BY e.id ORDER BY e.created_at, e.id
    """
)
STAMPS = ("created", "committed", "queued", "started", "last_result", "finished", "expires", "deleted")
TABLES = (
    ("Chunks", CHUNKS, ("KIND", "STATE", "ATTEMPT", "ISOLATED", "CHUNKS", "PAUSE")),
    ("At work", LEASES, ("CHUNK", "WORKER", "KIND", "ATTEMPT", "FIRST", "LAST", "LEASE LEFT")),
    ("Images without a classification", ERRORS, ("STATUS", "CODE", "IMAGES", "LAST ONE", "DETAIL")),
    ("Events", EVENTS, ("AT", "EVENT", "DELIVERIES", "DELIVERED", "FAILED")),
)


def show(arguments: argparse.Namespace) -> str:
    """Show one job: its state, its chunks by state and attempt, the workers that hold them, its errors, its events.

    Raises:
        NotFound: there is no such job.
    """
    with transaction() as session:
        job = session.execute(JOB, {"job": arguments.job}).one_or_none()
        if job is None:
            raise NotFound(f"there is no job {arguments.job}; `list-jobs --all` shows those that there are")
        parts = [_facts(job), *(_part(session, arguments.job, *part) for part in TABLES)]
    return "\n\n".join(part for part in parts if part)


def _facts(job: Row[Any]) -> str:
    done = job.succeeded + job.failed + job.rejected + job.canceled
    error = f"{job.error_code}: {job.error_detail}" if job.error_code else None
    facts = {
        "job": job.id,
        "tenant": job.tenant,
        "name": job.name,
        "state": job.state,
        "error": error,
        "priority": job.priority,
        "classifier": job.classifier,
        "images": f"{job.total} in all, {job.total - done} pending, {job.succeeded} succeeded, {job.failed} failed, "
        f"{job.rejected} rejected, {job.canceled} canceled",
        "open chunks": job.open_chunks,
        "retries": job.retries,
        "webhook": job.webhook_url,
        **{stamp.replace("_", " "): _ago(getattr(job, f"{stamp}_at"), job.now) for stamp in STAMPS},
    }
    return "\n".join(f"{name:<12} {value}" for name, value in facts.items() if value is not None)


def _ago(moment: datetime | None, now: datetime) -> str | None:
    if moment is None:
        return None
    words = f"{short(now - moment)} ago" if moment <= now else f"in {short(moment - now)}"
    return f"{moment:%Y-%m-%d %H:%M:%S} ({words})"


def _part(session: Session, job_id: uuid.UUID, title: str, query: TextClause, headings: tuple[str, ...]) -> str:
    rows = session.execute(query, {"job": job_id}).all()
    return f"{title}\n{table(headings, [[_cell(value) for value in row] for row in rows])}" if rows else ""


def _cell(value: object) -> object:
    if isinstance(value, timedelta):
        return short(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return ("no", "yes")[value] if isinstance(value, bool) else value


COMMANDS = (Command("show-job", "show everything about one job", show, job_argument),)
