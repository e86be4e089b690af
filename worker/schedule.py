"""Every periodic task. Beat requests them; a worker without messages sweeps by itself."""

from typing import Any

from shared.queue import SWEEP_TASK, WORK_QUEUE
from shared.settings import Settings


def beat_schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the tasks that beat requests, and their intervals. A request expires when the next one is made."""
    return {
        "sweep": {
            "task": SWEEP_TASK,
            "schedule": settings.sweep_seconds,
            "options": {"queue": WORK_QUEUE, "expires": settings.sweep_seconds},
        }
    }
