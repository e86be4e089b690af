"""The Celery tasks: a message without content makes this process claim from Postgres."""

from celery import shared_task

from shared.queue import SWEEP_TASK, WORK_TASK
from worker.loop.poller import Lookout
from worker.loop.work import Workplace

_installed: list[tuple[Workplace, Lookout]] = []


def install(workplace: Workplace, lookout: Lookout) -> None:
    """Have the tasks of this process run here; it is called before Celery consumes anything."""
    _installed[:] = [(workplace, lookout)]


@shared_task(name=WORK_TASK)
def work() -> None:
    """Claim the fairest chunk and run it, and the next; a late message finds nothing and ends in a millisecond."""
    ((workplace, lookout),) = _installed
    lookout.heard()
    workplace.work()


@shared_task(name=SWEEP_TASK)
def sweep() -> None:
    """Mend what lost signals left behind."""
    ((_, lookout),) = _installed
    lookout.sweep()
