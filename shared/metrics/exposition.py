"""``/metrics`` on a port of its own, so that what serves clients never shows it."""

import threading
from importlib.metadata import version
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.registry import Collector

from shared.errors import ConfigurationError
from shared.listening import reachable_host
from shared.metrics.definition import Program
from shared.metrics.definitions import BUILD_INFO, TABLE
from shared.metrics.readings import Readings
from shared.settings import Settings

log = structlog.get_logger()


class Exposition:
    """What one process shows: its own metrics of the table, and those of every Python process."""

    def __init__(self, program: Program) -> None:
        # Without a second series for each one, that nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has none
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        for line in TABLE:
            if line.counts is not None and program in line.programs:
                self._registry.register(line.counts)
        self.show(Readings({BUILD_INFO: lambda: [((program, version("phytobatch")), 1)]}))
        self._server: tuple[WSGIServer, threading.Thread] | None = None

    def show(self, collector: Collector) -> None:
        """Show this too, from now on."""
        self._registry.register(collector)

    def serve(self, settings: Settings) -> None:
        """Answer scrapes at ``metrics_host`` and ``metrics_port``, in a thread; port 0 serves nothing.

        Raises:
            ConfigurationError: nobody can listen there.
        """
        host, port = settings.metrics_host, settings.metrics_port
        if port == 0:
            return
        try:
            self._server = start_http_server(port, reachable_host(host), self._registry)
        except OSError as error:
            raise ConfigurationError(
                f"metrics cannot be served at {host}:{port} ({error.strerror or error}); set PHYTOBATCH_METRICS_HOST "
                "to an address of this machine and PHYTOBATCH_METRICS_PORT to a port that is free (each program on a "
                "machine needs its own), or to 0 for no metrics"
            ) from error
        log.info("metrics_served", host=host, port=port)

    def close(self) -> None:
        """Answer no more; harmless when it never did."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
            self._server = None
