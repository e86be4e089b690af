"""The definition of a metric: its line in the table, and the counter of the code."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily


class Kind(StrEnum):
    """The types of Prometheus metrics in use."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Program(StrEnum):
    """A program with metrics."""

    API = "api"
    WORKER = "worker"
    DELIVERER = "deliverer"
    BEAT = "beat"


Programs = tuple[Program, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A line of the table. ``counts`` is ``None`` if the values are read at each scrape (a ``Sampled``)."""

    name: str
    kind: Kind
    programs: Programs
    meaning: str
    labels: tuple[str, ...]
    counts: Counter | Histogram | None = None


@dataclass(frozen=True, slots=True)
class Sampled:
    """A gauge whose values are read at each scrape, by ``shared.metrics.readings``."""

    name: str
    meaning: str
    labels: tuple[str, ...]

    def family(self) -> GaugeMetricFamily:
        """Make an empty family, to be filled with samples."""
        return GaugeMetricFamily(self.name, self.meaning, labels=self.labels)


class Table:
    """All definitions, in the order of the manual.

    Nothing here is registered: each program exposes its own metrics (``shared.metrics.exposition``).
    """

    def __init__(self) -> None:
        self._lines: dict[str, Definition] = {}

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._lines.values())

    def counter(self, name: str, programs: Programs, meaning: str, *labels: str) -> Counter:
        """Define a number that only goes up; ``name`` ends with ``_total``."""
        counter = Counter(name, meaning, labels, registry=None)
        self._add(Definition(name, Kind.COUNTER, programs, meaning, labels, counter))
        return counter

    def histogram(
        self, name: str, programs: Programs, meaning: str, *labels: str, buckets: tuple[float, ...]
    ) -> Histogram:
        """Define a distribution of sizes; ``buckets`` are upper bounds, in the unit of the name."""
        histogram = Histogram(name, meaning, labels, registry=None, buckets=buckets)
        self._add(Definition(name, Kind.HISTOGRAM, programs, meaning, labels, histogram))
        return histogram

    def sampled(self, name: str, programs: Programs, meaning: str, *labels: str) -> Sampled:
        """Define a number that is read at each scrape."""
        self._add(Definition(name, Kind.GAUGE, programs, meaning, labels))
        return Sampled(name, meaning, labels)

    def _add(self, line: Definition) -> None:
        if line.name in self._lines:
            raise ValueError(f"{line.name} is defined twice")
        self._lines[line.name] = line
