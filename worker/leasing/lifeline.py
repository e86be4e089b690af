"""The lifeline of this worker, and a watch over those of the others."""

import threading
import time
from collections.abc import Callable

import psycopg
import structlog

from shared.db.session import Database, is_direct
from shared.errors import DatabaseUnavailable
from shared.jobs import lifelines
from shared.jobs.lifelines import Connection

log = structlog.get_logger()

# How often the others are looked at, which also shows whether our own connection lives.
LOOK_SECONDS = 2.0
RETRY_SECONDS = 0.5


class Lifeline:
    """A thread that holds the lifeline of this process and sees when another one ends.

    Args:
        database: where to connect; the connection is none of its pool.
        grace_seconds: how long a lifeline must be gone before its chunks are taken back: in this time a worker that
            lives takes another one. 0: there are no lifelines, only leases.
    """

    def __init__(self, database: Database, *, grace_seconds: float) -> None:
        self._database = database
        self._grace_seconds = grace_seconds
        self._take_back: Callable[[int], object] = lambda _: None
        self._number: int | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lifeline", daemon=True)

    @property
    def number(self) -> int | None:
        """The number of our lifeline; ``None`` while there is none."""
        return self._number

    def start(self, take_back: Callable[[int], object]) -> None:
        """Begin to hold a lifeline; ``take_back`` is called with each that ended, until no chunk names it."""
        self._take_back = take_back
        if self._grace_seconds > 0:
            self._thread.start()

    def close(self) -> None:
        """Let go of it. The chunks have been handed back before."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._database.connect_alone() as connection:
                    if not is_direct(connection):
                        log.info(
                            "no_lifeline", reason="a pooler stands before PostgreSQL; leases alone show who is gone"
                        )
                        return
                    self._hold(connection)
            except psycopg.Error as error:
                log.warning("lifeline_lost", reason=str(error).strip().partition("\n")[0])
            except Exception:
                log.exception("lifeline_fault")  # This thread must not end before the process does.
            finally:
                self._number = None
            self._closed.wait(RETRY_SECONDS)

    def _hold(self, connection: Connection) -> None:
        self._number = own = lifelines.hold(connection)
        log.info("lifeline_held", lifeline=own)
        gone_since: dict[int, float] = {}
        while not self._closed.wait(min(LOOK_SECONDS, self._grace_seconds)):
            now, gone = time.monotonic(), lifelines.ended(connection, own=own)
            gone_since = {number: gone_since.get(number, now) for number in gone}
            for number, since in gone_since.items():
                if now - since >= self._grace_seconds:
                    self._end(number)

    def _end(self, number: int) -> None:
        try:
            self._take_back(number)
        except DatabaseUnavailable:
            log.warning("lifeline_not_taken_back", lifeline=number)  # The next look tries again.
