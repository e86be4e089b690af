"""Removing a deleted job."""

from shared.jobs.purge import remove_job
from worker.jobs.context import Context
from worker.jobs.leases import Held
from worker.jobs.outcome import ChunkOutcome


def purge(context: Context, held: Held) -> ChunkOutcome:
    """Remove what is left of a deleted job. Repeating it finds less to remove.

    Raises:
        StoreUnavailable: the object store is away.
        LeaseLost: the chunk belongs to another worker.
    """
    remove_job(context.database, context.store, held.claim)
    return ChunkOutcome.FINISHED
