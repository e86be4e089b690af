"""A removal shows progress at each step, however long the whole takes, and stops between two of them."""

import threading
from collections.abc import Iterable
from io import BytesIO

import pytest

from shared.contracts.receipts import RemovalReason
from shared.contracts.states import ChunkKind
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs import purge as removal
from shared.jobs.claims import Claim
from shared.queue import Wakeups
from shared.settings import Settings
from shared.storage.keys import upload_prefix
from shared.storage.s3 import S3Store
from tests.integration.jobs.factory import Jobs
from worker.context import Context
from worker.jobs.purge import purge
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome, StopRequested

OBJECTS = 7


class Watched(Lease):
    """Writes down when something came of the chunk."""

    def __init__(self, claim: Claim, database: Database, stopping: threading.Event, events: list[str]) -> None:
        super().__init__(claim, database, stopping)
        self._events = events

    def progressed(self) -> None:
        super().progressed()
        self._events.append("progress")


class SlowStore(S3Store):
    """The store, which writes down each request to remove something."""

    def __init__(self, settings: Settings, events: list[str]) -> None:
        super().__init__(settings)
        self._events = events

    def delete(self, keys: Iterable[str]) -> None:
        wanted = list(keys)
        super().delete(wanted)
        self._events += ["delete"] if wanted else []


@pytest.fixture
def deleted(settings: Settings, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Claim:
    """The removal of a job with some uploads; two of them are a step."""
    monkeypatch.setattr(removal, "STEP_OBJECTS", 2)
    store, job_id = S3Store(settings), jobs.draft(images=1)
    store.create_bucket()
    for number in range(OBJECTS):
        store.put(f"{upload_prefix(job_id)}{number}", BytesIO(b"x"), size=1)
    with jobs.database.begin() as session:
        lifecycle.delete(session, job_id, reason=RemovalReason.REQUESTED)
    return jobs.claim_kind(ChunkKind.PURGE)


def test_each_step_of_a_removal_is_progress(settings: Settings, jobs: Jobs, deleted: Claim) -> None:
    events: list[str] = []
    stopping = threading.Event()
    context = Context(settings, jobs.database, SlowStore(settings, events), Wakeups(settings), {}, "test")
    assert purge(context, Watched(deleted, jobs.database, stopping, events)) is ChunkOutcome.FINISHED
    assert events.count("delete") == 4
    assert "deletedelete" not in "".join(events), "the watchdog would count the time of several steps together"
    assert list(context.store.list_objects(upload_prefix(deleted.job_id))) == []


def test_a_removal_stops_between_two_steps_and_goes_on_later(settings: Settings, jobs: Jobs, deleted: Claim) -> None:
    stopping = threading.Event()
    stopping.set()
    context = Context(settings, jobs.database, S3Store(settings), Wakeups(settings), {}, "test")
    with pytest.raises(StopRequested):
        purge(context, Lease(deleted, jobs.database, stopping))
    assert len(list(context.store.list_objects(upload_prefix(deleted.job_id)))) == OBJECTS
    assert purge(context, Lease(deleted, jobs.database, threading.Event())) is ChunkOutcome.FINISHED
    assert list(context.store.list_objects(upload_prefix(deleted.job_id))) == []
