"""Everybody who speaks to Redis, each in one call that says whether it came through."""

import asyncio
import uuid
from collections.abc import Callable

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from api.admin.doctor import queue
from api.admin.doctor.subject import Subject
from api.limits.rate import RateLimiter
from shared.queue import WORK_QUEUE, Wakeups, celery_settings
from shared.redis_connection import close_async, connect, connect_async
from shared.settings import Settings
from tests.patience import PATIENCE_SECONDS

AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}


def wakeups(settings: Settings) -> bool:
    """Our own question for the length of the queue, and Celery's producer."""
    return Wakeups(settings).top_up() == 1


def celery_alone(settings: Settings) -> bool:
    """Celery's producer and consumer, which a worker is."""
    app = Celery("test", set_as_current=False)
    app.conf.update(celery_settings(settings))
    app.conf.broker_transport_options |= AT_ONCE
    try:
        app.send_task("nobody", queue=WORK_QUEUE, retry=False)
        with app.connection_for_read() as connection, connection.SimpleQueue(WORK_QUEUE) as simple:
            message = simple.get(timeout=PATIENCE_SECONDS)
            message.ack()
            return bool(message.headers["task"] == "nobody")
    except OperationalError:
        return False


def threads(settings: Settings) -> bool:
    """Return True if Redis answers the client that publishes hints."""
    try:
        with connect(settings, socket_timeout=PATIENCE_SECONDS) as client:
            return bool(client.ping())
    except RedisError:
        return False


def event_loop(settings: Settings) -> bool:
    """Return True if Redis answers the client that listens to hints."""

    async def ask() -> bool:
        client = connect_async(settings, socket_timeout=PATIENCE_SECONDS)
        try:
            return bool(await client.ping())
        except RedisError:
            return False
        finally:
            await close_async(client)

    return asyncio.run(ask())


def rate_limits(settings: Settings) -> bool:
    """Without Redis nobody is held back, and nothing is counted."""
    _, standing = RateLimiter(settings).count(uuid.uuid4().hex, 10)
    return standing is not None


def doctor(settings: Settings) -> bool:
    """The operator's command."""
    return [one.level for one in queue.answers(Subject(settings))] == ["OK"]


USERS: tuple[Callable[[Settings], bool], ...] = (wakeups, celery_alone, threads, event_loop, rate_limits, doctor)
