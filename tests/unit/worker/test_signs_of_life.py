"""What healthchecks look at: a file that is touched as long as the work goes on."""

import errno
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from celery import Celery
from celery.beat import SchedulingError
from celery.schedules import schedule

from shared.db.session import Database
from tests.patience import PATIENCE_SECONDS
from worker.beat import Beat
from worker.leasing.leases import LeaseKeeper
from worker.ready import READY_FILE


def test_the_keeper_of_leases_shows_that_it_lives() -> None:
    lives = threading.Event()
    database = cast("Database", None)  # It holds no chunk, so it asks nothing.
    keeper = LeaseKeeper(database, lease_seconds=1, renew_seconds=0.01, stuck_seconds=1, on_round=lives.set)
    keeper.start()
    assert lives.wait(PATIENCE_SECONDS)
    keeper.close()


def test_the_keeper_goes_on_where_its_life_cannot_be_shown() -> None:
    tried = threading.Semaphore(0)

    def fail() -> None:
        tried.release()
        raise OSError(errno.ENOSPC, "No space left on device")

    database = cast("Database", None)
    keeper = LeaseKeeper(database, lease_seconds=1, renew_seconds=0.01, stuck_seconds=1, on_round=fail)
    keeper.start()
    assert tried.acquire(timeout=PATIENCE_SECONDS)
    assert tried.acquire(timeout=PATIENCE_SECONDS), "the thread that renews every lease ended"
    keeper.close()


def publish(broker: str) -> None:
    app = Celery("test", broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": 1, "max_retries": 0}
    app.conf.task_publish_retry = False
    beat = Beat(app, lazy=True)
    entry: Any = beat.Entry(name="sweep", task="nobody.listens", schedule=schedule(10), app=app)
    beat.schedule["sweep"] = entry
    beat.apply_async(entry)


def test_beat_shows_that_it_publishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = tmp_path / "ready"
    monkeypatch.setenv(READY_FILE, str(ready))
    publish("memory://")
    assert ready.exists()


def test_beat_does_not_pretend_while_redis_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = tmp_path / "ready"
    monkeypatch.setenv(READY_FILE, str(ready))
    with pytest.raises(SchedulingError):
        publish("redis://127.0.0.1:1/0")
    assert not ready.exists()
