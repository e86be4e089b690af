"""Wake-ups on a real Valkey: a window, no content, and never an error."""

import json
from collections.abc import Iterator

import pytest
import redis

from deploy.local.servers import LocalServers
from shared.queue import WORK_QUEUE, WORK_TASK, Wakeups
from shared.settings import Settings


@pytest.fixture
def servers_of_mine() -> Iterator[LocalServers]:
    with LocalServers.temporary(services=("valkey",)) as servers:
        yield servers


@pytest.fixture
def settings(servers_of_mine: LocalServers) -> Settings:
    return Settings(
        database_url="postgresql://nowhere/x",
        redis_url=servers_of_mine.valkey.url,
        s3_bucket="bucket",
        wakeup_window=4,
    )


@pytest.fixture
def valkey(servers_of_mine: LocalServers) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(servers_of_mine.valkey.url) as connection:
        yield connection


def length(valkey: redis.Redis) -> int:
    return int(valkey.llen(f"phytobatch:{WORK_QUEUE}"))


def test_the_queue_is_topped_up_to_the_window_and_not_over_it(settings: Settings, valkey: redis.Redis) -> None:
    wakeups = Wakeups(settings)
    assert wakeups.top_up(2) == 2
    assert wakeups.top_up(2) == 0
    assert wakeups.top_up(100) == 2
    assert length(valkey) == 4


def test_a_wakeup_carries_no_content(settings: Settings, valkey: redis.Redis) -> None:
    Wakeups(settings).top_up()
    message = json.loads(valkey.lrange(f"phytobatch:{WORK_QUEUE}", 0, 0)[0])
    assert message["headers"]["task"] == WORK_TASK
    assert (message["headers"]["argsrepr"], message["headers"]["kwargsrepr"]) == ("()", "{}")


def test_a_redis_that_is_away_is_no_error_and_one_that_is_back_is_used_again(
    settings: Settings, valkey: redis.Redis, servers_of_mine: LocalServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.queue.PAUSE_AFTER_FAILURE_SECONDS", 0.0)
    wakeups = Wakeups(settings)
    servers_of_mine.valkey.kill()
    assert (wakeups.top_up(), wakeups.is_reachable()) == (0, False)
    servers_of_mine.valkey.restart(empty=True)
    assert (wakeups.top_up(), wakeups.is_reachable()) == (1, True)
    assert length(valkey) == 1
