"""The Celery tasks: a message without content makes this process claim from Postgres."""

from celery import shared_task

from shared.queue import SWEEP_TASK, WORK_TASK
from worker.loop.poller import FallbackPoller
from worker.loop.work import WorkLoop

_installed: list[tuple[WorkLoop, FallbackPoller]] = []


def install(loop: WorkLoop, poller: FallbackPoller) -> None:
    """Have the tasks of this process run here. Call it before Celery consumes anything."""
    _installed[:] = [(loop, poller)]


@shared_task(name=WORK_TASK)
def work() -> None:
    """Claim the fairest chunk and run it, and the next ones; a late message finds none and ends in a millisecond."""
    ((loop, poller),) = _installed
    poller.note_message()
    loop.run_for_message()


@shared_task(name=SWEEP_TASK)
def sweep() -> None:
    """Repair the effects of lost messages and dead workers."""
    ((_, poller),) = _installed
    poller.sweep()
