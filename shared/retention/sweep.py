"""One round of retention."""

from dataclasses import asdict, dataclass

from shared.db.session import Database
from shared.retention.due import KeepDays, delete_due_jobs, release_due_originals
from shared.retention.history import forget_history
from shared.retention.objects import remove_released
from shared.settings import Settings
from shared.storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class RetentionCounts:
    """The counts of one round."""

    jobs: int
    originals: int
    objects: int
    deliveries: int
    events: int

    @property
    def changed(self) -> bool:
        """True if the round removed anything."""
        return any(asdict(self).values())


def sweep_retention(database: Database, store: ObjectStore, settings: Settings) -> RetentionCounts:
    """Remove a bounded part of everything whose retention time is over.

    Raises:
        DatabaseUnavailable: Postgres is away.
        StoreUnavailable: the object store is away.
    """
    keep = KeepDays(results=settings.keep_days_results, originals=settings.keep_days_originals)
    deliveries, events = forget_history(database, days=settings.keep_days_history)
    return RetentionCounts(
        jobs=delete_due_jobs(database, keep),
        originals=release_due_originals(database, keep),
        deliveries=deliveries,
        events=events,
        objects=remove_released(database, store, presigned_seconds=settings.presigned_url_seconds),
    )
