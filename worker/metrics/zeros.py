"""Series that are there from the start: of one that appears with its first event, Prometheus misses that event."""

from itertools import product

from shared.contracts.states import AttemptError, ChunkKind, ImageErrorCode, ImageStatus
from shared.metrics.definitions import CHUNK_ATTEMPTS, CHUNKS_ENDED, IMAGES, WEBHOOK_ATTEMPTS
from worker.jobs.outcome import ChunkOutcome

STATUS_CLASSES = ("4xx", "5xx")  # 2xx is `delivered`, 3xx is `redirected`.


def worker_begins_at_zero() -> None:
    """Every series of the worker whose labels are known."""
    IMAGES.labels(ImageStatus.SUCCEEDED, "")
    for status, code in product((ImageStatus.FAILED, ImageStatus.REJECTED), ImageErrorCode):
        IMAGES.labels(status, code)
    for kind in ChunkKind:
        CHUNK_ATTEMPTS.labels(kind)
    for kind, outcome in product(ChunkKind, ChunkOutcome):
        CHUNKS_ENDED.labels(kind, outcome)


def deliverer_begins_at_zero() -> None:
    """Every series of the deliverer whose labels are known."""
    for result in ("delivered", *AttemptError, *STATUS_CLASSES):
        WEBHOOK_ATTEMPTS.labels(result)
