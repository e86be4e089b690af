"""Work that a request leaves behind is announced, once per chunk, up to the window."""

import pytest
import redis

from shared.queue import WORK_QUEUE
from shared.settings import Settings
from tests.integration.conftest import Api
from tests.patience import wait_for


@pytest.fixture
def broker(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(settings.redis_url.get_secret_value())


def wait_for_messages(broker: redis.Redis, settings: Settings, count: int) -> int:
    """Return the number of messages that wait, once there are ``count`` of them."""
    return wait_for(lambda: int(broker.llen(f"{settings.broker_key_prefix}{WORK_QUEUE}")), lambda found: found >= count)


def test_every_committed_job_is_announced_up_to_the_window(api: Api, broker: redis.Redis, settings: Settings) -> None:
    for number in range(1, settings.wakeup_window + 3):
        job_id = api.new_job()
        api.add(job_id, "a.jpg")
        assert wait_for_messages(broker, settings, 0) <= settings.wakeup_window
        api.commit(job_id)
        expected = min(number, settings.wakeup_window)
        assert wait_for_messages(broker, settings, expected) == expected
    broker.close()
