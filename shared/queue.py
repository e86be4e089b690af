"""The only producer of wake-ups, and the settings of Celery for every program.

A wake-up carries no content: it makes a worker poll Postgres. Losing every one of them costs seconds.
"""

import threading
import time
from typing import Any

import structlog
from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from shared.metrics.definitions import REDIS_ERRORS, WAKEUPS
from shared.redis_connection import celery_broker, connect
from shared.settings import Settings

log = structlog.get_logger()

WORK_QUEUE = "work"
WORK_TASK = "worker.jobs.work"
SWEEP_TASK = "worker.jobs.sweep"

SOCKET_CONNECT_TIMEOUT_SECONDS = 1.0
SOCKET_TIMEOUT_SECONDS = 10.0
# After Redis did not answer, requests do not wait for it again for so long.
PAUSE_AFTER_FAILURE_SECONDS = 5.0


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that producers and consumers share: the shortest visibility timeout among them would win.

    Only a plain ``Queue`` on the direct exchange: on a topic exchange a Redis that came back empty silently drops
    messages (celery PR #10566).
    """
    return {
        **celery_broker(
            settings,
            visibility_timeout=900,
            unacked_restore_interval=10,
            unacked_restore_throttle=1,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            socket_connect_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
            socket_keepalive=True,
            health_check_interval=10,
            global_keyprefix=settings.broker_key_prefix,
        ),
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": WORK_QUEUE,
        "task_create_missing_queues": False,
        "task_queues": [Queue(WORK_QUEUE)],  # type: ignore[no-untyped-call]  # kombu leaves it untyped
        "broker_connection_timeout": SOCKET_CONNECT_TIMEOUT_SECONDS,
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
    }


class Wakeups:
    """A publisher of wake-ups, up to a window. Never raises: while Redis is away, workers poll by themselves."""

    def __init__(self, settings: Settings) -> None:
        self._window = settings.wakeup_window
        self._queue_key = f"{settings.broker_key_prefix}{WORK_QUEUE}"
        self._app = Celery("phytobatch-producer", set_as_current=False)
        self._app.conf.update(celery_settings(settings))
        self._redis = connect(
            settings,
            socket_connect_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
            socket_timeout=SOCKET_CONNECT_TIMEOUT_SECONDS,
        )
        self._away_until = 0.0
        self._lock = threading.Lock()

    def top_up(self, ready: int = 1) -> int:
        """Bring the queue to one message per ready chunk, at most the window.

        Args:
            ready: number of chunks that could be claimed now.

        Returns:
            The number of published messages.
        """
        # Checked under the lock: of many callers that meet a silent Redis, one waits for it, not all in turn.
        with self._lock:
            if time.monotonic() < self._away_until:
                return 0
            try:
                missing = min(ready, self._window) - int(self._redis.llen(self._queue_key))
                for _ in range(missing):
                    self._app.send_task(WORK_TASK, queue=WORK_QUEUE, retry=False)
                    WAKEUPS.inc()
            except (RedisError, OSError, KombuError) as error:
                self._away_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
                REDIS_ERRORS.inc()
                log.warning("wakeup_not_published", reason=type(error).__name__)
                return 0
        return max(missing, 0)

    def is_reachable(self) -> bool:
        """Return True if Redis answers; only shown to operators."""
        try:
            return bool(self._redis.ping())
        except RedisError:
            REDIS_ERRORS.inc()
            return False
