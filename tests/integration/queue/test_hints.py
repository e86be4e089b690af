"""Hints on a real Valkey: heard while it is there, never an error while it is not."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from typing import Self

import pytest
import redis

from deploy.local.servers import LocalServers
from shared.hints import Hints, channel, listen
from shared.settings import Settings
from tests.patience import PATIENCE_SECONDS, wait_for


@pytest.fixture
def servers_of_mine() -> Iterator[LocalServers]:
    with LocalServers.temporary(services=("valkey",)) as servers:
        yield servers


@pytest.fixture
def settings(servers_of_mine: LocalServers) -> Settings:
    return Settings(database_url="postgresql://nowhere/x", redis_url=servers_of_mine.valkey.url, s3_bucket="bucket")


@pytest.fixture
def hints(settings: Settings) -> Iterator[Hints]:
    made = Hints(settings)
    made.start()
    yield made
    made.stop()


class Ear:
    """Listens in a thread of its own, as an API process does."""

    def __init__(self, settings: Settings) -> None:
        self.heard: list[uuid.UUID] = []
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        self._task = self._loop.create_task(self._listen())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _listen(self) -> None:
        async for job_id in listen(self._settings):
            self.heard.append(job_id)

    def wait_for_hint(self, hints: Hints, job_id: uuid.UUID) -> None:
        """Give a hint again and again until it comes through: the listener must first connect."""

        def announce() -> bool:
            hints.announce([job_id])
            return job_id in self.heard

        wait_for(announce)


def test_what_is_announced_is_heard_by_everybody(settings: Settings, hints: Hints) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    with Ear(settings) as one, Ear(settings) as two:
        one.wait_for_hint(hints, first)
        two.wait_for_hint(hints, first)
        hints.announce([second])
        one.wait_for_hint(hints, uuid.uuid4())
        assert second in one.heard


def test_changes_that_come_close_together_are_one_message(settings: Settings, hints: Hints) -> None:
    job_id = uuid.uuid4()
    with Ear(settings) as ear:
        ear.wait_for_hint(hints, uuid.uuid4())
        for _ in range(1000):
            hints.announce([job_id])
        ear.wait_for_hint(hints, uuid.uuid4())
        assert 1 <= ear.heard.count(job_id) < 100


def test_a_stop_publishes_what_was_announced(settings: Settings) -> None:
    job_id = uuid.uuid4()
    other = Hints(settings)
    other.start()
    with Ear(settings) as ear:
        ear.wait_for_hint(other, uuid.uuid4())
        other.announce([uuid.uuid4()])
        other.announce([job_id])
        other.stop()
        wait_for(lambda: ear.heard, lambda heard: job_id in heard)


def test_what_is_no_hint_is_ignored(settings: Settings, hints: Hints) -> None:
    with Ear(settings) as ear, redis.Redis.from_url(settings.redis_url.get_secret_value()) as connection:
        ear.wait_for_hint(hints, uuid.uuid4())
        connection.publish(channel(settings), b"nonsense")
        ear.wait_for_hint(hints, uuid.uuid4())


def test_without_redis_nothing_waits_and_afterwards_hints_come_again(
    settings: Settings, hints: Hints, servers_of_mine: LocalServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.hints.PAUSE_AFTER_FAILURE_SECONDS", 0.1)
    with Ear(settings) as ear:
        ear.wait_for_hint(hints, uuid.uuid4())
        servers_of_mine.valkey.kill()
        hints.announce([uuid.uuid4()])
        servers_of_mine.valkey.restart(empty=True)
        ear.wait_for_hint(hints, uuid.uuid4())
