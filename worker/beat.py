"""Celery's scheduler with a ready file and metrics; the schedule is code, so it is kept only in memory."""

from typing import Any

from celery.beat import Scheduler

from shared.metrics.definition import Program
from shared.metrics.definitions import BEAT_REQUESTS
from shared.metrics.exposition import Exposition, Zeros
from shared.settings import Settings
from worker.ready import ReadyFile

PUBLISHED, FAILED = "published", "failed"
BEAT_ZEROS: Zeros = {BEAT_REQUESTS: [(PUBLISHED,), (FAILED,)]}


class Beat(Scheduler):  # type: ignore[misc]  # Celery publishes no types
    """A scheduler that touches the file of ``--ready-file`` after each published task, so not while Redis is away."""

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # Celery's own signature
        """Publish one task. It raises what Celery raises, which the scheduler logs."""
        try:
            published = super().apply_async(*args, **kwargs)
        except Exception:
            BEAT_REQUESTS.labels(FAILED).inc()
            raise
        BEAT_REQUESTS.labels(PUBLISHED).inc()
        ReadyFile.from_environment().touch()
        return published


def serve_beat_metrics(settings: Settings) -> Exposition:
    """Serve metrics, if the settings name a port.

    Raises:
        ConfigurationError: the port cannot be opened.
    """
    exposition = Exposition(Program.BEAT, BEAT_ZEROS)
    exposition.serve(settings)
    return exposition
