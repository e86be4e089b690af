"""Removing a deleted job: its uploads first, then its rows. Imported originals belong to the user and stay."""

from shared.jobs import claims
from shared.storage.keys import upload_prefix
from worker.jobs.context import Context
from worker.jobs.leases import Held


def purge(context: Context, held: Held) -> None:
    """Remove what is left of a deleted job. Repeating it finds less to remove.

    Raises:
        StoreUnavailable: the object store is away.
        LeaseLost: the chunk belongs to another worker.
    """
    context.store.delete(found.key for found in context.store.list_objects(upload_prefix(held.claim.job_id)))
    context.database.run(lambda session: claims.finish_purge(session, held.claim))
