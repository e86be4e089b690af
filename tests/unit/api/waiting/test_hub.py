"""Wakes of waiting clients; the poll of Postgres is a function of the test."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import closing
from datetime import UTC, datetime

import pytest

from api.limits.shares import WAITING, Holder, Pool, Shares
from api.waiting import hub as hub_module
from api.waiting.hub import Hub, Purpose, Watch
from api.waiting.poll import Polled
from api.waiting.snapshot import Snapshot
from shared.contracts.states import JobState
from shared.db.models import Job
from shared.errors import DatabaseUnavailable, NotFound, TooManyWaiting
from shared.jobs.queries import JobDetail
from tests.patience import PATIENCE_SECONDS

TENANT = uuid.UUID(int=1)
HOLDER = Holder(TENANT, "key")
JOB = uuid.UUID(int=2)
A_MOMENT = 0.2
NEVER = 3600.0


class Jobs:
    """Jobs in the place of Postgres; ``looks`` has those of each poll."""

    def __init__(self) -> None:
        self.standing: dict[uuid.UUID, Snapshot | None] = {}
        self.looks: list[set[uuid.UUID]] = []
        self.error: Exception | None = None
        self.put(JOB)

    def put(self, job_id: uuid.UUID, revision: int = 1, state: JobState = JobState.RUNNING) -> None:
        job = Job(id=job_id, tenant_id=TENANT, state=state, revision=revision, retries=0)
        self.standing[job_id] = Snapshot(JobDetail(job, None, read_at=datetime.now(UTC), queue_position=None))

    def __call__(self, wanted: Collection[Polled]) -> Mapping[uuid.UUID, Snapshot | None]:
        self.looks.append({one.job_id for one in wanted})
        if self.error is not None:
            raise self.error
        return {one.job_id: self.standing.get(one.job_id) for one in wanted}


async def silence() -> AsyncIterator[uuid.UUID]:
    await asyncio.sleep(NEVER)
    yield JOB


def run(
    test: Callable[[Hub, Jobs], Coroutine[object, object, None]], *, watch_seconds: float = NEVER, places: int = 100
) -> None:
    """Run a test on a hub that hears no hints but the test's."""

    async def inside() -> None:
        jobs = Jobs()
        hub = Hub(jobs, watch_seconds=watch_seconds, places=Pool(places, Shares(1, 1), WAITING))
        async with hub.running(silence()):
            await asyncio.wait_for(test(hub, jobs), PATIENCE_SECONDS)

    asyncio.run(inside())


async def news(watch: Watch, seconds: float = PATIENCE_SECONDS) -> bool:
    return await watch.news(asyncio.get_running_loop().time() + seconds)


def test_a_watch_begins_with_a_look_and_hears_of_a_change_after_a_hint() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB)) as watch:
            assert (await watch.first()).revision == 1
            assert not await news(watch, A_MOMENT)
            jobs.put(JOB, 2, JobState.COMPLETED)
            hub.hint(JOB)
            assert await news(watch)
            assert watch.snapshot.revision == 2

    run(test)


def test_without_a_hint_the_next_round_sees_it() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB)) as watch:
            await watch.first()
            jobs.put(JOB, 2)
            assert await news(watch)

    run(test, watch_seconds=0.1)


def test_new_results_are_told_in_the_rounds_and_a_new_state_at_once() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB)) as watch:
            await watch.first()
            jobs.put(JOB, 2)
            hub.hint(JOB)
            assert not await news(watch, A_MOMENT)
            jobs.put(JOB, 3, JobState.COMPLETED)
            hub.hint(JOB)
            assert await news(watch)

    run(test)


def test_many_clients_are_one_look() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        watches = [hub.watch(HOLDER, JOB) for _ in range(50)]
        await asyncio.gather(*(watch.first() for watch in watches))
        looks = len(jobs.looks)
        assert looks <= 2
        jobs.put(JOB, 2, JobState.COMPLETED)
        for _ in range(50):
            hub.hint(JOB)
        assert all(await asyncio.gather(*map(news, watches)))
        assert len(jobs.looks) == looks + 1
        for watch in watches:
            watch.close()

    run(test)


def test_a_job_that_nobody_waits_for_is_forgotten() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        first, second = hub.watch(HOLDER, JOB), hub.watch(HOLDER, JOB)
        await first.first()
        first.close()
        first.close()
        assert (hub._places.held, hub.jobs) == (1, 1)
        second.close()
        assert (hub._places.held, hub.jobs) == (0, 0)
        looks = len(jobs.looks)
        hub.hint(JOB)
        await asyncio.sleep(A_MOMENT)
        assert len(jobs.looks) == looks

    run(test)


def test_a_client_too_many_is_refused_until_one_has_left() -> None:
    async def test(hub: Hub, _jobs: Jobs) -> None:
        first = hub.watch(HOLDER, JOB)
        with pytest.raises(TooManyWaiting):
            hub.watch(HOLDER, JOB)
        first.close()
        hub.watch(HOLDER, JOB).close()

    run(test, places=1)


def test_another_tenants_job_and_one_that_is_gone_do_not_exist() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(Holder(uuid.UUID(int=9), "other"), JOB)) as other, pytest.raises(NotFound):
            await other.first()
        with closing(hub.watch(HOLDER, uuid.UUID(int=9))) as nothing, pytest.raises(NotFound):
            await nothing.first()
        with closing(hub.watch(HOLDER, JOB)) as watch:
            await watch.first()
            jobs.standing[JOB] = None
            hub.hint(JOB)
            assert await news(watch)
            with pytest.raises(NotFound):
                _ = watch.snapshot

    run(test)


def test_without_postgres_new_clients_are_told_and_those_who_wait_go_on() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB)) as watch:
            await watch.first()
            jobs.error = DatabaseUnavailable("away")
            with closing(hub.watch(HOLDER, JOB)) as late, pytest.raises(DatabaseUnavailable):
                await late.first()
            assert not await news(watch, A_MOMENT)
            assert watch.snapshot.revision == 1
            jobs.error = None
            jobs.put(JOB, 2, JobState.COMPLETED)
            hub.hint(JOB)
            assert await news(watch)

    run(test)


def test_a_fault_in_a_look_does_not_end_the_looking() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        jobs.error = ValueError("a fault")
        with closing(hub.watch(HOLDER, JOB)) as watch:
            with pytest.raises(ValueError, match="a fault"):
                await watch.first()
            jobs.error = None
            with closing(hub.watch(HOLDER, JOB)) as second:
                assert (await second.first()).revision == 1

    run(test)


def test_closing_ends_all_waiting_now_and_from_now_on() -> None:
    async def test(hub: Hub, _jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB)) as watch:
            await watch.first()
            waiting = asyncio.create_task(news(watch, NEVER))
            await asyncio.sleep(0)
            hub.close()
            assert await waiting is False
            assert watch.is_over
            with closing(hub.watch(HOLDER, JOB)) as late:
                assert (await late.first()).revision == 1
                assert await news(late, NEVER) is False

    run(test)


def test_a_client_that_leaves_wakes_its_own_watch_alone() -> None:
    async def test(hub: Hub, _jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB)) as gone, closing(hub.watch(HOLDER, JOB)) as other:
            await asyncio.gather(gone.first(), other.first())
            gone.leave()
            assert await news(gone, NEVER) is False
            assert gone.is_over
            assert not await news(other, A_MOMENT)
            assert not other.is_over

    run(test)


def test_an_answer_is_polled_without_the_pause_that_gathers_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "GATHER_SECONDS", NEVER)

    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB, Purpose.ANSWER)) as watch:
            await watch.first()  # The hub gathers now, which would take for ever.
            jobs.put(JOB, 2, JobState.COMPLETED)
            hub.hint(JOB)
            assert await news(watch)
            assert watch.snapshot.is_over

    run(test)


def test_an_answer_is_polled_without_hints_more_often_than_in_the_rounds() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB, Purpose.ANSWER)) as watch:
            await watch.first()
            jobs.put(JOB, 2, JobState.COMPLETED)
            assert await news(watch)
        polls = len(jobs.looks)
        await asyncio.sleep(A_MOMENT)
        assert len(jobs.looks) == polls, "nobody waits for an answer any more"

    run(test)


def test_an_answer_is_waited_for_also_while_the_server_stops() -> None:
    async def test(hub: Hub, jobs: Jobs) -> None:
        with closing(hub.watch(HOLDER, JOB, Purpose.ANSWER)) as watch, closing(hub.watch(HOLDER, JOB)) as other:
            await asyncio.gather(watch.first(), other.first())
            hub.close()
            assert not await news(other)
            jobs.put(JOB, 2, JobState.COMPLETED)
            while not watch.snapshot.is_over:
                assert await news(watch)

    run(test)
