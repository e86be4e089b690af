"""Metrics of a worker: counters, readings at each scrape, and the series that exist from the start."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import product

from shared.contracts.exports import ExportFormat, ExportOutcome
from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus
from shared.jobs.results import NewResult
from shared.metrics import definitions as metrics
from shared.metrics.exposition import Zeros
from shared.metrics.readings import Readings, Sample, number
from shared.storage.s3_call import STORE_ZEROS
from worker.inference.observer import Stage
from worker.inference.pipeline import Pipeline
from worker.leasing.outcome import ChunkOutcome
from worker.leasing.slots import Slots

WRITE = "write"  # Storing the results of one chunk: the one stage outside of the pipeline.

WORKER_ZEROS: Zeros = {
    metrics.IMAGES: [(ImageStatus.SUCCEEDED, ""), *product((ImageStatus.FAILED, ImageStatus.REJECTED), ImageErrorCode)],
    metrics.CHUNK_ATTEMPTS: [(kind,) for kind in ChunkKind],
    metrics.CHUNKS_ENDED: list(product(ChunkKind, ChunkOutcome)),
    metrics.STAGE_SECONDS: [(stage,) for stage in (*Stage, WRITE)],
    metrics.EXPORTS_ENDED: list(product(ExportFormat, ExportOutcome)),
    metrics.EXPORT_SECONDS: [(form,) for form in ExportFormat],
    **STORE_ZEROS,
}


def count_results(results: Iterable[NewResult]) -> None:
    """Count images that have their result. Call it after the commit."""
    for (status, code), images in Counter((one.status, one.error_code or "") for one in results).items():
        metrics.IMAGES.labels(status, code).inc(images)


class StageMetrics:
    """The pipeline's observer. It caches the series of each stage, since it is called twice for every image."""

    def __init__(self) -> None:
        self._seconds = {stage: metrics.STAGE_SECONDS.labels(stage) for stage in Stage}

    def took(self, stage: Stage, seconds: float) -> None:
        """See ``Observer.took``."""
        self._seconds[stage].observe(seconds)

    def batch(self, images: int, size: int) -> None:
        """See ``Observer.batch``."""
        metrics.BATCH_FILL.observe(images / size)


def worker_readings(pipelines: Collection[Pipeline], slots: Slots) -> Readings:
    """Return the readings of this process: its classifiers, memory and slots."""
    return Readings(
        {
            metrics.CLASSIFIER_INFO: lambda: _classifiers(pipelines),
            metrics.SLOTS: number(lambda: slots.count),
            metrics.SLOTS_BUSY: number(lambda: slots.taken),
            metrics.BYTES_IN_FLIGHT: number(lambda: sum(pipeline.bytes_in_use for pipeline in pipelines)),
            metrics.GPU_MEMORY: lambda: _gpu_memory(pipelines).items(),
        }
    )


def _classifiers(pipelines: Collection[Pipeline]) -> Iterator[Sample]:
    for pipeline in pipelines:
        manifest = pipeline.classifier.manifest
        yield (manifest.name, manifest.version, manifest.sha256, pipeline.classifier.runtime), 1


def _gpu_memory(pipelines: Collection[Pipeline]) -> dict[tuple[str, ...], float]:
    """Return bytes by device and kind; classifiers of one process share its devices."""
    found: dict[tuple[str, ...], float] = {}
    for pipeline in pipelines:
        for memory in pipeline.classifier.gpu_memory():
            found[memory.device, "current"] = memory.current
            found[memory.device, "peak"] = memory.peak
    return found
