"""The Celery tasks: a message without content makes this process look into Postgres."""

from celery import shared_task

from shared.queue import SWEEP_TASK, WORK_TASK
from worker import process


@shared_task(name=WORK_TASK)
def work() -> None:
    """Claim the fairest chunk and run it, and the next; a late message finds nothing and ends in a millisecond."""
    here = process.current()
    here.lookout.heard()
    here.workplace.work()


@shared_task(name=SWEEP_TASK)
def sweep() -> None:
    """Mend what lost signals left behind."""
    process.current().lookout.sweep()
