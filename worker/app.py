"""The Celery application of the worker: the settings shared with producers, and the worker's own."""

import sys

import structlog
from celery import Celery, signals

from shared.errors import ConfigurationError, PhytobatchError
from shared.logging import configure_logging
from shared.queue import celery_settings
from shared.settings import get_settings
from shared.tracing import configure_tracing
from worker import process
from worker.beat import serve_beat_metrics
from worker.inference.errors import ClassifierError
from worker.leasing.slots import count_slots
from worker.schedule import beat_schedule

log = structlog.get_logger()

settings = get_settings()
configure_logging(settings, program="worker")
end_traces = configure_tracing(settings, program="worker")
app = Celery("phytobatch", include=["worker.loop.tasks"])
app.conf.update(
    celery_settings(settings),
    beat_schedule=beat_schedule(settings),
    beat_scheduler="worker.beat:Beat",
    task_acks_late=True,
    task_acks_on_failure=True,
    task_acks_on_timeout=True,
    # Leases do that with a bound; Celery would deliver a message that kills its worker for ever.
    task_reject_on_worker_lost=False,
    worker_pool="threads",  # No fork: TensorFlow hangs after one.
    worker_concurrency=count_slots(settings),
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


@signals.setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Keep Celery from configuring the logs: a receiver of this signal is enough."""


@signals.worker_init.connect
def _load(**_: object) -> None:
    """Load the models before anything is consumed; the threads pool sends no worker_process_init."""
    try:
        process.start(settings)
    except (PhytobatchError, ClassifierError) as error:
        log.critical("worker_not_started", reason=str(error))
        sys.exit(1)
    except Exception:
        # Celery would log it and go on, as a worker that takes messages without a classifier.
        log.exception("worker_not_started")
        sys.exit(1)


@signals.beat_init.connect
def _start_beat(**_: object) -> None:
    try:
        serve_beat_metrics(settings)
    except ConfigurationError as error:
        log.critical("beat_not_started", reason=str(error))
        sys.exit(1)


@signals.worker_shutting_down.connect
def _stop(**_: object) -> None:
    process.current().stop()


@signals.worker_shutdown.connect
def _close(**_: object) -> None:
    process.current().close()
    end_traces()
