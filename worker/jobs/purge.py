"""The runner that removes a deleted job."""

from shared.jobs.purge import remove_job
from worker.context import Context
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome


def purge(context: Context, lease: Lease) -> ChunkOutcome:
    """Remove what is left of a deleted job. It may be repeated.

    Raises:
        StoreUnavailable: the object store is away.
        LeaseLost: the chunk belongs to another worker.
        StopRequested: this process is to stop; the rest is removed later.
    """

    def beat() -> None:
        lease.progressed()
        lease.check()

    remove_job(context.database, context.store, lease.claim, beat=beat)
    return ChunkOutcome.FINISHED
