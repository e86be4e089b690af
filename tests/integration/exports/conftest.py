"""Jobs with answers, over the real API; the exporter of a worker without its classifier."""

import threading
from collections.abc import Iterator

import pytest

from shared.db.session import Database
from shared.queue import Wakeups
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import committed, drafted, hands
from worker.context import Context
from worker.exports.exporter import Exporter

__all__ = ["committed", "drafted", "hands"]


@pytest.fixture
def context(settings: Settings, database: Database, store: S3Store) -> Context:
    """What a worker has, without a classifier."""
    store.create_bucket()
    return Context(
        settings=settings, database=database, store=store, wakeups=Wakeups(settings), pipelines={}, name="test"
    )


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def exporter(context: Context, stopping: threading.Event) -> Iterator[Exporter]:
    """Not started: a test calls ``work_once``."""
    yield Exporter(context, stopping)
    stopping.set()
