"""Removing deleted jobs: uploads and exports first, then rows. Imported originals belong to the user and stay."""

import uuid
from collections.abc import Collection, Iterable

from sqlalchemy import Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.db.models import Job
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim
from shared.storage.keys import UPLOADS, exports_prefix, upload_prefix
from shared.storage.store import ObjectStore, StoredObject


def remove_job(database: Database, store: ObjectStore, held: Claim) -> None:
    """Remove what is left of a deleted job. Repeating it finds less to remove.

    Raises:
        StoreUnavailable: the object store is away.
        LeaseLost: the chunk belongs to somebody else.
    """
    store.delete(found.key for found in store.list_objects(upload_prefix(held.job_id)))
    store.discard(exports_prefix(held.job_id))
    database.run(lambda session: claims.finish_purge(session, held))


def job_of(stored: StoredObject) -> uuid.UUID | None:
    """The job that an upload belongs to, by its key; ``None`` where it is no upload of ours."""
    folder, _, rest = stored.key.partition("/")
    try:
        return uuid.UUID(rest.partition("/")[0]) if folder == UPLOADS else None
    except ValueError:
        return None


def uploads_by_job(store: ObjectStore) -> dict[uuid.UUID, list[StoredObject]]:
    """Every upload in the bucket, by its job."""
    return _by_job(store.list_objects(f"{UPLOADS}/"))


def _by_job(found: Iterable[StoredObject]) -> dict[uuid.UUID, list[StoredObject]]:
    uploads: dict[uuid.UUID, list[StoredObject]] = {}
    for stored in found:
        job_id = job_of(stored)
        if job_id is not None:
            uploads.setdefault(job_id, []).append(stored)
    return uploads


def without_job(session: Session, job_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those that no row stands for, not even one of a deleted job.

    Ask after the listing: a job's row is there before its first upload, so what has no row then never gets one.
    """
    known = session.scalars(select(Job.id).where(Job.id == func.any(cast(list(job_ids), ARRAY(Uuid)))))
    return set(job_ids) - set(known)
