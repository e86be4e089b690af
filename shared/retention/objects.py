"""Removal of objects: uploads that retention released, and objects that came after a removal.

An upload URL that was signed before a removal may be used after it. So every removal is checked once more when the
last of its URLs has expired; only then its receipt is closed.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from sqlalchemy import text

from shared.contracts.receipts import Removed
from shared.db.session import Database
from shared.storage.keys import exports_prefix, upload_prefix
from shared.storage.store import ObjectStore

STEP_OBJECTS = 1000
# Maximum of steps in one sweep: a hundred thousand objects take some minutes, and nothing else waits for them.
STEPS = 10
# The claim on a receipt lasts so long.
CLAIM = timedelta(minutes=2)
# In addition to the seconds for which a URL is valid: an upload that began in time may end after it.
GRACE = timedelta(minutes=10)

TAKE = text(
    """
    UPDATE receipts SET not_before = now() + :claim WHERE id = (
        SELECT id FROM receipts r WHERE checked_at IS NULL AND not_before <= now()
            AND (what = 'originals' OR completed_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM jobs WHERE id = r.job_id))
        ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, job_id, what
    """
)
# A first pass that found the end completes the receipt, and the later check closes it.
STEP = text(
    """
    UPDATE receipts SET
        removed = removed || jsonb_build_object(
            'objects', coalesce((removed ->> 'objects')::bigint, 0) + :objects,
            'bytes', coalesce((removed ->> 'bytes')::bigint, 0) + :bytes),
        completed_at = CASE WHEN :ended THEN coalesce(completed_at, now()) ELSE completed_at END,
        checked_at = CASE WHEN :ended AND requested_at + :good < now() THEN now() END,
        not_before = CASE WHEN :ended THEN requested_at + :good ELSE now() END
    WHERE id = :id
    """
)


@dataclass(frozen=True, slots=True)
class _Step:
    """The objects that one step removed, and whether it found the end."""

    objects: int
    size: int
    ended: bool


def remove_released(database: Database, store: ObjectStore, *, presigned_seconds: int) -> int:
    """Remove a bounded number of objects below the prefixes of open receipts. Return their number.

    Raises:
        DatabaseUnavailable: Postgres is away.
        StoreUnavailable: the object store is away; the rest is removed later.
    """
    removed = 0
    for _ in range(STEPS):
        with database.begin() as session:
            receipt = session.execute(TAKE, {"claim": CLAIM}).one_or_none()
        if receipt is None:
            break
        step = _remove_some(store, receipt.job_id, Removed(receipt.what))
        removed += step.objects
        with database.begin() as session:
            session.execute(
                STEP,
                {
                    "id": receipt.id,
                    "objects": step.objects,
                    "bytes": step.size,
                    "ended": step.ended,
                    "good": timedelta(seconds=presigned_seconds) + GRACE,
                },
            )
    return removed


def _remove_some(store: ObjectStore, job_id: uuid.UUID, what: Removed) -> _Step:
    prefixes = [upload_prefix(job_id)] + ([exports_prefix(job_id)] if what is Removed.JOB else [])
    objects = list(islice((stored for prefix in prefixes for stored in store.list_objects(prefix)), STEP_OBJECTS))
    store.delete(stored.key for stored in objects)
    return _Step(len(objects), sum(stored.size for stored in objects), ended=len(objects) < STEP_OBJECTS)
