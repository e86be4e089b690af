"""Writing receipts: begin, note the objects, complete."""

import uuid

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.receipts import RemovalReason, Removed
from shared.db.models import Job, Receipt

# A repeated removal finds fewer objects, so the larger number is the right one.
NOTE = text(
    """
    UPDATE receipts SET removed = removed || jsonb_build_object(
        'objects', greatest(coalesce((removed ->> 'objects')::bigint, 0), :objects),
        'bytes', greatest(coalesce((removed ->> 'bytes')::bigint, 0), :bytes))
    WHERE job_id = :job AND what = 'job' AND completed_at IS NULL
    """
)
COMPLETE = text(
    """
    UPDATE receipts SET completed_at = now(), not_before = now(), removed = removed || CAST(:rows AS jsonb)
    WHERE job_id = :job AND what = 'job' AND completed_at IS NULL RETURNING 1
    """
)
ROWS = text(
    """
    SELECT (SELECT count(*) FROM images WHERE job_id = :job) AS images,
           (SELECT count(*) FROM results WHERE job_id = :job) AS results,
           (SELECT count(*) FROM correction_entries WHERE job_id = :job) AS corrections,
           (SELECT count(*) FROM exports WHERE job_id = :job) AS exports,
           (SELECT count(*) FROM chunks WHERE job_id = :job) AS chunks,
           (SELECT count(*) FROM events WHERE job_id = :job) AS events,
           (SELECT count(*) FROM webhook_deliveries d JOIN events e ON e.id = d.event_id WHERE e.job_id = :job)
               AS deliveries
    """
)


def begin(session: Session, job: Job, what: Removed, reason: RemovalReason, by: str | None) -> uuid.UUID:
    """Write the receipt for a removal that begins in this transaction; return its id."""
    receipt = Receipt(tenant_id=job.tenant_id, job_id=job.id, what=what, reason=reason, requested_by=by)
    session.add(receipt)
    session.flush()
    return receipt.id


def note_objects(session: Session, job_id: uuid.UUID, *, objects: int, size: int) -> None:
    """Note the number of objects that are about to be removed with a job, and their bytes."""
    session.execute(NOTE, {"job": job_id, "objects": objects, "bytes": size})


def complete(session: Session, job: Job) -> None:
    """Count the rows that are removed with a job in this transaction.

    A job that was deleted by a program of an earlier version has no receipt yet; it gets one here.
    """
    rows = {"job": job.id, "rows": Jsonb(dict(session.execute(ROWS, {"job": job.id}).mappings().one()))}
    if session.execute(COMPLETE, rows).one_or_none() is None:
        begin(session, job, Removed.JOB, RemovalReason.REQUESTED, None)
        session.execute(COMPLETE, rows)
