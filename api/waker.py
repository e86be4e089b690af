"""Publishing of wake-ups in a thread of its own: an answer never waits for Redis."""

import threading

import structlog

from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.jobs import claims
from shared.queue import Wakeups

log = structlog.get_logger()

STOP_SECONDS = 2.0


class Waker:
    """A thread that tops the queue up after a request that made work; a burst of requests becomes one query."""

    def __init__(self, database: Database, wakeups: Wakeups, *, window: int) -> None:
        self._database = database
        self._wakeups = wakeups
        self._window = window
        self._woken = threading.Event()
        self._has_work = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def nudge(self) -> None:
        """Announce work. Call it after the commit; it returns at once and never fails."""
        self._has_work = True
        self._woken.set()

    def stop(self) -> None:
        """Publish what is left, and end."""
        if self._thread.is_alive():
            self._stopping = True
            self._woken.set()
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            self._woken.wait()
            self._woken.clear()
            if self._has_work:
                self._has_work = False
                self._top_up()

    def _top_up(self) -> None:
        try:
            self._wakeups.top_up(self._ready())
        except Exception:
            log.exception("waker_fault")  # This thread must not end before the process does.

    def _ready(self) -> int:
        """Count the chunks that wait; one, if Postgres is away."""
        try:
            with self._database.begin() as session:
                return claims.ready_chunks(session, limit=self._window)
        except DatabaseUnavailable:
            return 1
