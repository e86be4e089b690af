"""What a worker is doing now, read at each scrape."""

from collections.abc import Collection, Iterator

from shared.metrics import definitions as metrics
from shared.metrics.readings import Readings, Sample, number
from worker.inference.pipeline import Pipeline
from worker.jobs.slots import Slots


def worker_readings(pipelines: Collection[Pipeline], slots: Slots) -> Readings:
    """Classifiers, memory and slots of this process."""
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
    """By device and kind; classifiers of one process share its devices."""
    found: dict[tuple[str, ...], float] = {}
    for pipeline in pipelines:
        for memory in pipeline.classifier.gpu_memory():
            found[memory.device, "current"] = memory.current
            found[memory.device, "peak"] = memory.peak
    return found
