"""What the routes work with: one of each per process, made in ``main.create_app``."""

from dataclasses import dataclass

from api.readiness import Readiness
from api.waker import Waker
from shared.db.session import Database
from shared.settings import Settings
from shared.storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Services:
    """Safe to share between threads."""

    settings: Settings
    database: Database
    store: ObjectStore
    waker: Waker
    readiness: Readiness

    def close(self) -> None:
        """Stop the waker and close every database connection."""
        self.waker.stop()
        self.database.dispose()
