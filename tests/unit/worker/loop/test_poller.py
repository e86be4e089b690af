"""A process that stops waits for the chunks that its lookout runs; Celery knows of its own alone."""

import threading
from types import SimpleNamespace

from tests.patience import PATIENCE_SECONDS
from worker.loop.poller import Lookout


def test_join_returns_after_the_chunk_at_work_is_through() -> None:
    at_work, may_end, through, stopping = (threading.Event() for _ in range(4))

    def work_once() -> bool:
        at_work.set()
        may_end.wait(PATIENCE_SECONDS)
        through.set()
        return False

    context = SimpleNamespace(settings=SimpleNamespace(idle_look_seconds=0.01, sweep_seconds=3600))
    workplace = SimpleNamespace(work_once=work_once)
    lookout = Lookout(context, workplace, stopping, threads=1, ready=None)  # type: ignore[arg-type]
    lookout.start()
    assert at_work.wait(PATIENCE_SECONDS)
    stopping.set()
    threading.Timer(0.2, may_end.set).start()
    lookout.join()
    assert through.is_set()
