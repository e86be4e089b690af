"""The services of routes: one of each per process, made in ``main.create_app``."""

from dataclasses import dataclass

from api.limits.rate import RateLimiter
from api.limits.shares import Bodies, Pool, Turns
from api.readiness import Readiness
from api.waiting.hub import Hub
from api.waker import Waker
from shared.db.session import Database
from shared.hints import Hints
from shared.settings import Settings
from shared.storage.store import ObjectStore
from shared.webhooks.urls import Policy


@dataclass(frozen=True, slots=True)
class Services:
    """Services that threads may share, but for ``hub`` and the shares, which belong to the event loop."""

    settings: Settings
    database: Database
    store: ObjectStore
    waker: Waker
    readiness: Readiness
    hints: Hints
    hub: Hub
    webhook_policy: Policy
    rates: RateLimiter
    waiting: Pool
    bodies: Bodies
    turns: Turns

    def start(self) -> None:
        """Begin to publish wake-ups and hints."""
        self.waker.start()
        self.hints.start()

    def close(self) -> None:
        """Publish what is left, and close every database connection."""
        self.waker.stop()
        self.hints.stop()
        self.database.dispose()
