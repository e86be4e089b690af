"""The pipeline's observer: where the time of inference goes."""

from shared.metrics.definitions import BATCH_FILL, STAGE_SECONDS
from worker.inference.observer import Stage

WRITE = "write"  # One chunk's results, into the database: the stage that is not the pipeline's.


class StageMetrics:
    """Keeps the series of each stage at hand, since it is told of every image twice."""

    def __init__(self) -> None:
        self._seconds = {stage: STAGE_SECONDS.labels(stage) for stage in Stage}

    def took(self, stage: Stage, seconds: float) -> None:
        """See ``Observer.took``."""
        self._seconds[stage].observe(seconds)

    def batch(self, images: int, size: int) -> None:
        """See ``Observer.batch``."""
        BATCH_FILL.observe(images / size)
