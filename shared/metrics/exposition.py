"""``/metrics`` on a port of its own, so that the port for clients never shows it."""

import threading
from collections.abc import Iterable, Mapping
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.registry import Collector

from shared.errors import ConfigurationError
from shared.listening import own_address
from shared.metrics.definition import Definition, Program
from shared.metrics.definitions import BUILD_INFO, TABLE
from shared.metrics.readings import Readings
from shared.settings import Settings
from shared.version import VERSION

log = structlog.get_logger()

# The values of the labels of every series that a program knows before its first event, by metric.
Zeros = Mapping[Counter | Histogram, Iterable[tuple[str, ...]]]


class Exposition:
    """The metrics of one process: its own of the table, and those of every Python process.

    If a series appears with its first event, Prometheus misses that event. So every counter and histogram with labels
    declares its series before.

    Args:
        program: this program.
        zeros: the labels of each counter and histogram of this program that has some.

    Raises:
        ValueError: a metric is missing in ``zeros``.
    """

    def __init__(self, program: Program, zeros: Zeros) -> None:
        # Without a second series for each one, which is of no use.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has none
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        for line in TABLE:
            if line.counts is not None and program in line.programs:
                _begin_at_zero(line, zeros)
                self._registry.register(line.counts)
        self.show(Readings({BUILD_INFO: lambda: [((program, VERSION), 1)]}))
        self._server: tuple[WSGIServer, threading.Thread] | None = None

    def show(self, collector: Collector) -> None:
        """Expose this too, from now on."""
        self._registry.register(collector)

    def serve(self, settings: Settings) -> None:
        """Answer scrapes at ``metrics_host`` and ``metrics_port``, in a thread; port 0 serves nothing.

        Raises:
            ConfigurationError: this address or port is not available.
        """
        host, port = settings.metrics_host, settings.metrics_port
        if port == 0:
            return
        try:
            self._server = start_http_server(port, own_address(host), self._registry)
        except OSError as error:
            raise ConfigurationError(
                f"metrics cannot be served at {host}:{port} ({error.strerror or error}); set PHYTOBATCH_METRICS_HOST "
                "to an address of this machine and PHYTOBATCH_METRICS_PORT to a port that is free (each program on a "
                "machine needs its own), or to 0 for no metrics"
            ) from error
        log.info("metrics_served", host=host, port=port)

    def close(self) -> None:
        """Stop answering, if it ever did."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
            self._server = None


def _begin_at_zero(line: Definition, zeros: Zeros) -> None:
    if not line.labels or line.counts is None:
        return
    if line.counts not in zeros:
        raise ValueError(f"{line.name} has labels, and nobody says with which values it begins")
    for values in zeros[line.counts]:
        line.counts.labels(*values)
