"""Figures from Postgres, read for a scrape. A scrape is answered, whatever Postgres does."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import structlog
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.metrics.exports import read_exports
from api.metrics.reading import Reading, read
from api.metrics.tenants import read_tenants
from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.metrics.definition import Sampled
from shared.metrics.definitions import DATABASE_UP
from shared.metrics.readings import Sample, filled

log = structlog.get_logger()

# Scrapes that come closer together than this share a reading.
KEPT_SECONDS = 5.0
# Less than half of the ten seconds after which Prometheus gives a scrape up.
PATIENCE_SECONDS = 4.0


class Backlog(Collector):
    """Figures of jobs, chunks and deliveries: the same from every API process.

    A reading runs in a thread of its own, since a Postgres that hangs holds it for longer than a scrape may take.

    Args:
        database: for this alone: readings must not take connections from requests.
        tenants: how many are named.
    """

    def __init__(self, database: Database, *, tenants: int) -> None:
        self._database = database
        self._more: tuple[Callable[[Session], Reading], ...] = (
            read_exports,
            partial(read_tenants, max_tenants=tenants),
        )
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._read_at = float("-inf")
        self._last: Reading | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the last reading, or a new one; without Postgres only that it is away."""
        reading = self._latest()
        yield filled(DATABASE_UP, [((), float(reading is not None))])
        for sampled, samples in (reading or {}).items():
            yield filled(sampled, samples)

    def _latest(self) -> Reading | None:
        reader = self._reading()
        if reader is not None:
            # Outside the lock: scrapes that come together wait side by side, not one after the other.
            reader.join(PATIENCE_SECONDS)
            if reader.is_alive():
                return None
        return self._last

    def _reading(self) -> threading.Thread | None:
        """Return the thread that reads now; ``None`` while the last reading is fresh."""
        with self._lock:
            if self._reader is not None and not self._reader.is_alive():
                self._reader = None
            if self._reader is None and time.monotonic() - self._read_at >= KEPT_SECONDS:
                self._reader = threading.Thread(target=self._read, name="metrics-reading", daemon=True)
                self._reader.start()
            return self._reader

    def _read(self) -> None:
        reading = self._try_read(read)
        if reading is not None:
            # What is less needed may fail by itself.
            for part in self._more:
                reading |= self._try_read(part) or {}
        self._last = reading
        self._read_at = time.monotonic()

    def _try_read(self, part: Callable[[Session], Reading]) -> dict[Sampled, Iterable[Sample]] | None:
        try:
            with self._database.begin() as session:
                return dict(part(session))
        except (DatabaseUnavailable, SQLAlchemyError) as error:
            log.warning("backlog_not_read", reason=str(error).splitlines()[0])
            return None
