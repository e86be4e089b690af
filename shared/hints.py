"""Hints: "this job has changed", over Redis, for the processes that wait for it.

A hint carries only the id of a job. Its receiver reads Postgres at once; without a hint it polls Postgres a second
later. Losing every hint costs that second.
"""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Collection

import structlog
from redis.exceptions import RedisError

from shared.metrics.definitions import REDIS_ERRORS
from shared.queue import PAUSE_AFTER_FAILURE_SECONDS, SOCKET_CONNECT_TIMEOUT_SECONDS, SOCKET_TIMEOUT_SECONDS
from shared.redis_connection import close_async, connect, connect_async
from shared.settings import Settings

log = structlog.get_logger()

# Changes of a job that come close together are one message.
GATHER_SECONDS = 0.05
STOP_SECONDS = 2.0
LISTEN_SECONDS = 1.0
ID_BYTES = 16


def channel(settings: Settings) -> str:
    """Return the Redis channel of the hints of this installation."""
    return f"{settings.broker_key_prefix}changes"


class Hints:
    """A publisher of hints in the background: ``announce`` returns at once, and never fails."""

    def __init__(self, settings: Settings) -> None:
        self._channel = channel(settings)
        self._redis = connect(
            settings,
            socket_connect_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
            socket_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
        )
        self._jobs: set[uuid.UUID] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def announce(self, jobs: Collection[uuid.UUID]) -> None:
        """Publish that these jobs have changed. Call it after the commit."""
        with self._lock:
            self._jobs.update(jobs)
        self._woken.set()

    def stop(self) -> None:
        """Publish what was announced, and end."""
        if self._thread.is_alive():
            self._stopping.set()
            self._woken.set()
            self._thread.join(STOP_SECONDS)
        self._redis.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait()
            self._woken.clear()
            published = self._publish(self._take_jobs())
            self._stopping.wait(GATHER_SECONDS if published else PAUSE_AFTER_FAILURE_SECONDS)
        self._publish(self._take_jobs())

    def _take_jobs(self) -> Collection[uuid.UUID]:
        with self._lock:
            jobs, self._jobs = self._jobs, set()
        return jobs

    def _publish(self, jobs: Collection[uuid.UUID]) -> bool:
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for job in jobs:
                    pipe.publish(self._channel, job.bytes)
                pipe.execute()
        except (RedisError, OSError) as error:
            REDIS_ERRORS.inc()
            log.warning("hints_not_published", reason=type(error).__name__)
            return False
        return True


async def listen(settings: Settings) -> AsyncIterator[uuid.UUID]:
    """Yield the jobs of all hints, for ever; silent while Redis is away. Cancel it to end it."""
    while True:
        connection = connect_async(
            settings,
            socket_connect_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            socket_keepalive=True,
            health_check_interval=10,
        )
        try:
            async with connection.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(channel(settings))
                while True:
                    message = await subscription.get_message(timeout=LISTEN_SECONDS)
                    if message is not None and len(message["data"]) == ID_BYTES:
                        yield uuid.UUID(bytes=message["data"])
        except (RedisError, OSError) as error:
            REDIS_ERRORS.inc()
            log.warning("hints_not_heard", reason=type(error).__name__)
        finally:
            await close_async(connection)
        await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
