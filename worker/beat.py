"""Celery's scheduler with a sign of life and a count; the schedule is in the code, so it is kept in memory alone."""

import os
from pathlib import Path
from typing import Any

from celery.beat import Scheduler

from shared.metrics.definition import Program
from shared.metrics.definitions import BEAT_REQUESTS
from shared.metrics.exposition import Exposition, Zeros
from shared.settings import Settings
from worker.process import READY_FILE

PUBLISHED, FAILED = "published", "failed"
BEAT_ZEROS: Zeros = {BEAT_REQUESTS: [(PUBLISHED,), (FAILED,)]}


class Beat(Scheduler):  # type: ignore[misc]  # Celery publishes no types
    """Touches the file of ``--ready-file`` whenever it has published what was due. Redis is away: no touch."""

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # Celery's own signature
        """Publish one task; raises what Celery raises, and the scheduler logs it."""
        try:
            published = super().apply_async(*args, **kwargs)
        except Exception:
            BEAT_REQUESTS.labels(FAILED).inc()
            raise
        BEAT_REQUESTS.labels(PUBLISHED).inc()
        ready = os.environ.get(READY_FILE)
        if ready:
            Path(ready).touch()
        return published


def serve_beat_metrics(settings: Settings) -> Exposition:
    """Answer scrapes from now on, if there is a port for them.

    Raises:
        ConfigurationError: nobody can listen there.
    """
    exposition = Exposition(Program.BEAT, BEAT_ZEROS)
    exposition.serve(settings)
    return exposition
