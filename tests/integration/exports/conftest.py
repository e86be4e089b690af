"""Jobs with answers, over the real API; the slot of a worker that makes exports, without a classifier."""

import threading
from collections.abc import Iterator

import pytest

from shared.db.session import Database
from shared.queue import Wakeups
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import committed, drafted, hands
from worker.context import Context
from worker.leasing.leases import LeaseKeeper
from worker.leasing.slots import export_offers
from worker.loop.work import WorkLoop

__all__ = ["committed", "drafted", "hands"]


class ExportSlot:
    """The slot of a worker that makes exports, and none of its others."""

    def __init__(self, context: Context, stopping: threading.Event) -> None:
        settings = context.settings
        keeper = LeaseKeeper(
            context.database,
            lease_seconds=settings.lease_seconds,
            renew_seconds=settings.lease_renew_seconds,
            stuck_seconds=settings.watchdog_seconds,
        )
        self._loop = WorkLoop(context, keeper, stopping)

    def work_once(self) -> bool:
        """Claim an export and make it; whether there was one."""
        return self._loop._claim_and_run(export_offers(())) is not None


@pytest.fixture
def context(settings: Settings, database: Database, store: S3Store) -> Context:
    """Return the context of a worker, without a classifier."""
    store.create_bucket()
    return Context(
        settings=settings, database=database, store=store, wakeups=Wakeups(settings), pipelines={}, name="test"
    )


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def exporter(context: Context, stopping: threading.Event) -> Iterator[ExportSlot]:
    """Nothing runs by itself: a test calls ``work_once``."""
    yield ExportSlot(context, stopping)
    stopping.set()
