"""Removal of deleted jobs: uploads and exports first, then rows. Imported originals belong to the user and stay."""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from sqlalchemy import Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.db.models import Job
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim
from shared.receipts import writing as receipts
from shared.storage.keys import EXPORTS, UPLOADS, exports_prefix, upload_prefix
from shared.storage.store import ObjectStore, StoredObject

OF_JOBS = (UPLOADS, EXPORTS)
# Objects between two signs of progress: a store that is slow, or that takes them one by one, needs a second for each.
STEP_OBJECTS = 100


def remove_job(database: Database, store: ObjectStore, claim: Claim, *, beat: Callable[[], None]) -> None:
    """Remove what is left of a deleted job. Repeating it finds less to remove.

    Args:
        database: where its rows are.
        store: where its objects are.
        claim: the chunk.
        beat: called after every step of at most :data:`STEP_OBJECTS` objects; what it raises ends the removal.

    Raises:
        StoreUnavailable: the object store is away.
        LeaseLost: the chunk belongs to somebody else.
    """
    objects, size = _weigh(store, claim.job_id, beat)
    database.run(lambda session: receipts.note_objects(session, claim.job_id, objects=objects, size=size))
    for step in _steps(store.list_objects(upload_prefix(claim.job_id))):
        store.delete(found.key for found in step)
        beat()
    store.discard(exports_prefix(claim.job_id))
    beat()
    database.run(lambda session: claims.finish_purge(session, claim))


def _weigh(store: ObjectStore, job_id: uuid.UUID, beat: Callable[[], None]) -> tuple[int, int]:
    """Count the objects of a job, and their bytes."""
    objects = size = 0
    for prefix in (upload_prefix(job_id), exports_prefix(job_id)):
        for step in _steps(store.list_objects(prefix)):
            objects, size = objects + len(step), size + sum(found.size for found in step)
            beat()
    return objects, size


def _steps(objects: Iterable[StoredObject]) -> Iterator[list[StoredObject]]:
    rest = iter(objects)
    while step := list(islice(rest, STEP_OBJECTS)):
        yield step


def job_of(key: str) -> uuid.UUID | None:
    """Return the job that an object belongs to, by its key; ``None`` where it is of no job."""
    folder, _, rest = key.partition("/")
    try:
        return uuid.UUID(rest.partition("/")[0]) if folder in OF_JOBS else None
    except ValueError:
        return None


def objects_by_job(store: ObjectStore) -> dict[uuid.UUID, list[StoredObject]]:
    """List every upload and every export in the bucket, by its job."""
    found: dict[uuid.UUID, list[StoredObject]] = {}
    for folder in OF_JOBS:
        for stored in store.list_objects(f"{folder}/"):
            job_id = job_of(stored.key)
            if job_id is not None:
                found.setdefault(job_id, []).append(stored)
    return found


def without_job(session: Session, job_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Select the ids that no row has, not even one of a deleted job.

    Ask after the listing: a job's row is there before its first object, so what has no row then never gets one.
    """
    known = session.scalars(select(Job.id).where(Job.id == func.any(cast(list(job_ids), ARRAY(Uuid)))))
    return set(job_ids) - set(known)
