"""Every periodic task. Beat only asks; a worker that hears nothing sweeps by itself."""

from typing import Any

from shared.queue import SWEEP_TASK, WORK_QUEUE
from shared.settings import Settings


def beat_schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """What beat asks for, and how often. A request that nobody took before the next one is dropped."""
    return {
        "sweep": {
            "task": SWEEP_TASK,
            "schedule": settings.sweep_seconds,
            "options": {"queue": WORK_QUEUE, "expires": settings.sweep_seconds},
        }
    }
