"""The lifeline of this worker, and the watch over those of other workers."""

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

# The interval of probes for other lifelines; a probe also tests our own connection.
PROBE_SECONDS = 2.0
RETRY_SECONDS = 0.5


class Lifeline:
    """A thread that holds the lifeline of this process and notices when another one ends.

    Args:
        database: the database to connect to; the connection is not from its pool.
        grace_seconds: the time between the end of a lifeline and the take-back of its chunks: a worker that is alive
            takes a new lifeline in it. 0: there are no lifelines, only leases.
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
        """Begin to hold a lifeline; ``take_back`` is called with each ended one, until no chunk has it."""
        self._take_back = take_back
        if self._grace_seconds > 0:
            self._thread.start()

    def close(self) -> None:
        """Release the lifeline. The chunks have been handed back before."""
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
        while not self._closed.wait(min(PROBE_SECONDS, self._grace_seconds)):
            now, gone = time.monotonic(), lifelines.ended(connection, own=own)
            gone_since = {number: gone_since.get(number, now) for number in gone}
            for number, since in gone_since.items():
                if now - since >= self._grace_seconds:
                    self._end(number)

    def _end(self, number: int) -> None:
        try:
            self._take_back(number)
        except DatabaseUnavailable:
            log.warning("lifeline_not_taken_back", lifeline=number)  # The next probe tries again.
