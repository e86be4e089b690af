"""Telling once that the network is lost, and once that it is back, although every thread notices."""

from __future__ import annotations

import threading

from phytobatch.submission.reporter import Reporter
from phytobatch.words import in_time


class Outage:
    """The state of the network for all threads. Thread-safe."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._lock = threading.Lock()
        self._away = False

    def began(self, error: Exception, patience: float) -> None:
        """Note a failed attempt."""
        with self._lock:
            first, self._away = not self._away, True
        if first:
            self._reporter.note(f"{error} Trying again for up to {in_time(patience)}.")

    def over(self) -> None:
        """Note a successful attempt."""
        with self._lock:
            was_away, self._away = self._away, False
        if was_away:
            self._reporter.note("The connection is back.")
