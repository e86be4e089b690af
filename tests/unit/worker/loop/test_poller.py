"""A process that stops waits for the chunks that its poller runs; Celery knows of its own alone."""

import threading
from types import SimpleNamespace

from tests.patience import PATIENCE_SECONDS
from worker.loop.poller import FallbackPoller
from worker.ready import ReadyFile


def test_join_returns_after_the_chunk_at_work_is_through() -> None:
    running, may_end, through, stopping = (threading.Event() for _ in range(4))

    def run_one() -> bool:
        running.set()
        may_end.wait(PATIENCE_SECONDS)
        through.set()
        return False

    context = SimpleNamespace(settings=SimpleNamespace(idle_look_seconds=0.01, sweep_seconds=3600))
    loop = SimpleNamespace(run_one=run_one)
    poller = FallbackPoller(context, loop, stopping, threads=1, ready=ReadyFile(None))  # type: ignore[arg-type]
    poller.start()
    assert running.wait(PATIENCE_SECONDS)
    stopping.set()
    threading.Timer(0.2, may_end.set).start()
    poller.join()
    assert through.is_set()
