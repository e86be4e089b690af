"""Numbers that are read at each scrape instead of counted."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import structlog
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.metrics.definition import Sampled

log = structlog.get_logger()

# The values of the labels, in the order of the definition, and the number.
Sample = tuple[tuple[str, ...], float]
Read = Callable[[], Iterable[Sample]]


class Readings(Collector):
    """A collector that reads its metrics at each scrape, in the thread of the scrape, so it must not block."""

    def __init__(self, reads: Mapping[Sampled, Read]) -> None:
        self._reads = reads

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the current metrics; one that cannot be read is left out."""
        for sampled, read in self._reads.items():
            try:
                yield filled(sampled, read())
            except Exception:
                log.exception("metric_not_read", metric=sampled.name)


def filled(sampled: Sampled, samples: Iterable[Sample]) -> GaugeMetricFamily:
    """Make a family with its samples."""
    family = sampled.family()
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def number(read: Callable[[], float]) -> Read:
    """Make the reading of a metric without labels."""
    return lambda: [((), read())]
