"""A worker whose connection ends is gone long before its lease; one that lives takes another and keeps its chunks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import text

from shared.contracts.states import Priority
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.jobs.lifelines import CLASS, take_back_from
from shared.jobs.sweep import CrashPolicy
from tests.integration.jobs.factory import Jobs
from tests.patience import wait_for
from worker.leasing import leases, lifeline
from worker.leasing.leases import LeaseKeeper
from worker.leasing.lifeline import Lifeline

LEASE = 3600.0
# Of a worker that lives, long enough for it to come back on a busy machine.
GRACE = 3.0
SHORT = 0.5
POLICY = CrashPolicy(isolate_after=9, fail_after=9)
END = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND classid = :class "
    "AND objid = :number AND granted"
)


class Worker:
    """What holds on to the chunks of a worker: its lifeline and its leases."""

    def __init__(self, database: Database, *, grace_seconds: float) -> None:
        self.database = database
        self.lifeline = Lifeline(database, grace_seconds=grace_seconds)
        self.keeper = LeaseKeeper(
            database,
            lease_seconds=LEASE,
            renew_seconds=LEASE,
            stuck_seconds=LEASE,
            lifeline=lambda: self.lifeline.number,
        )
        self.took: list[int] = []

    def take_back(self, lifeline: int) -> None:
        if take_back_from(self.database, lifeline, POLICY):
            self.took.append(lifeline)

    def claim(self, jobs: Jobs) -> Claim:
        with self.database.begin() as session:
            held = claims.claim(
                session,
                [Offer(jobs.pool, Priority.BULK)],
                worker="test",
                lease_seconds=LEASE,
                lifeline=self.lifeline.number,
            )
        assert held is not None
        return held

    @contextmanager
    def at_work(self) -> Iterator["Worker"]:
        self.keeper.start()
        self.lifeline.start(self.take_back)
        wait_for(lambda: self.lifeline.number)
        try:
            yield self
        finally:
            self.lifeline.close()
            self.keeper.close()


Start = Callable[..., Worker]


@pytest.fixture
def start(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Workers that look and try again more often than usual."""
    for module, name in ((lifeline, "PROBE_SECONDS"), (lifeline, "RETRY_SECONDS"), (leases, "TICK_SECONDS")):
        monkeypatch.setattr(module, name, 0.1)
    with ExitStack() as stack:
        yield lambda grace_seconds=GRACE: stack.enter_context(Worker(database, grace_seconds=grace_seconds).at_work())


def end_connection(database: Database, lifeline: int | None) -> None:
    with database.begin() as session:
        assert session.execute(END, {"class": CLASS, "number": lifeline}).scalar_one() == 1


def attempt(jobs: Jobs, held: Claim) -> tuple[str, int]:
    asked = "SELECT state, attempt FROM chunks WHERE job_id = :job AND no = :no"
    with jobs.database.begin() as session:
        state, number = session.execute(text(asked), held.key).one()
    return str(state), int(number)


def test_what_a_worker_held_that_is_gone_comes_back_an_hour_before_its_lease(jobs: Jobs, start: Start) -> None:
    other, doomed = start(SHORT), start(SHORT)
    jobs.queued(images=2, chunk_images=2)
    held, number = doomed.claim(jobs), doomed.lifeline.number
    doomed.lifeline.close()  # As the kernel does with the sockets of a process that was killed.
    wait_for(lambda: other.took == [number])
    assert attempt(jobs, held) == ("ready", 1)
    again = other.claim(jobs)
    assert (again.no, again.attempt, again.token > held.token) == (held.no, 2, True)
    with pytest.raises(Exception, match="no longer leased"):
        jobs.finish(held)


def test_a_worker_that_lost_its_connection_alone_keeps_its_chunks(jobs: Jobs, start: Start) -> None:
    other, lives = start(), start()
    jobs.queued(images=2, chunk_images=2)
    first = lives.lifeline.number
    with lives.keeper.holding(lives.claim(jobs), threading.Event()) as held:
        end_connection(jobs.database, first)
        wait_for(lambda: lives.lifeline.number not in {None, first})
        wait_for(lambda: held.lifeline == lives.lifeline.number)
        wait_for(watched(other))
        held.check()
        jobs.finish(held.claim)
    assert other.took == []
    assert attempt(jobs, held.claim) == ("done", 1)


def watched(other: Worker) -> Callable[[], bool]:
    """Return a check: the other one has polled for longer than the grace since now."""
    since = time.monotonic()
    return lambda: time.monotonic() - since > GRACE + 0.5 and other.lifeline.number is not None


def test_a_claim_of_the_version_before_has_no_lifeline(jobs: Jobs, start: Start) -> None:
    """It leaves the columns as an earlier claim wrote them."""
    gone = start()
    jobs.queued(images=2, chunk_images=2)
    held, number = gone.claim(jobs), gone.lifeline.number
    assert number is not None
    with jobs.database.begin() as session:
        old = "UPDATE chunks SET lease_token = nextval('lease_tokens') WHERE job_id = :job AND no = :no"
        session.execute(text(old), held.key)
    assert take_back_from(jobs.database, number, POLICY) == 0
