"""The one way to open a transaction, and the treatment of lost connections.

None of our settings outlives its transaction, so a pooler may give the next transaction another connection of the
server: PgBouncer in transaction mode, and in session mode, which refuses settings in the ``options`` of a start.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from shared.contracts.metadata import read_stored
from shared.errors import DatabaseUnavailable
from shared.metrics.definitions import DATABASE_OUTAGES, DATABASE_SECONDS
from shared.settings import Settings

log = structlog.get_logger()
T = TypeVar("T")

CONNECT: Final[dict[str, Any]] = {"connect_timeout": 3, "keepalives_idle": 30, "tcp_user_timeout": 15_000}
BEGIN = "BEGIN"
STATEMENT_TIMEOUT_MS = 30_000
# A transaction never spans a download or a model call, so one that idles this long is lost.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000
# The server ends what neither of the two above can end: a client that stopped in the middle of sending a statement
# (a frozen process, a machine that is cut off) is not idle, and its statement has not begun; it would hold the lock of
# its job for ever, and the job would stand still. Only PostgreSQL 17 and newer can; before, the dead peer is noticed.
TRANSACTION_TIMEOUT_MS = 40_000
TRANSACTION_TIMEOUT_SINCE = 170_000
# The server probes idle clients by itself. There is a row only if the process that serves us is the one that greeted
# us: a pooler invents the number of its greeting, which is the key of a cancel.
KEEP_ALIVE = """
    SELECT set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false),
           set_config('tcp_keepalives_count', '3', false)
    WHERE pg_backend_pid() = %s
"""
POOL_TIMEOUT_SECONDS = 5
RETRY_PAUSE_SECONDS = 0.25

# Safe to run again, because every transaction here is guarded by a state, a token or a key:
# serialization failure, deadlock, a statement that waited too long (for a lock, mostly), a transaction that took too
# long, and a server that shuts down or starts (PostgreSQL, appendix A).
RETRYABLE = frozenset({"40001", "40P01", "57014", "25P04", "57P01", "57P02", "57P03"})


CHANGED = "changed_jobs"
RESTS_SINCE = "rests_since"

Announce = Callable[[Collection[uuid.UUID]], None]


def changed(session: Session, job_id: uuid.UUID) -> None:
    """Note that this transaction changes a job: after its commit, clients that wait for the job get a hint."""
    session.info.setdefault(CHANGED, set()).add(job_id)


def is_outage(error: Exception) -> bool:
    """Return True if the database could not be reached, as opposed to a statement that it refused."""
    if isinstance(error, (PoolTimeout, InterfaceError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    sqlstate = getattr(error.orig, "sqlstate", None)
    # Class 08 is "connection exception", 53 "insufficient resources"; psycopg gives none when the socket broke.
    lost = error.connection_invalidated or (isinstance(error, OperationalError) and sqlstate is None)
    return lost or sqlstate in RETRYABLE or (sqlstate or "").startswith(("08", "53"))


def _terms(server_version: int) -> dict[str, str | int]:
    """Return the settings of each transaction.

    Compiling a plan (JIT) is for reports that take minutes: it costs up to a second, and begins if a plan's estimated
    cost is high, as that of every plan which ``shared.db.plans`` made less likely (PostgreSQL 17 and older add
    10,000,000,000 to the cost of a step that is switched off).
    """
    limited = server_version >= TRANSACTION_TIMEOUT_SINCE
    return {
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
        **({"transaction_timeout": TRANSACTION_TIMEOUT_MS} if limited else {}),
        "jit": "off",
        "timezone": "UTC",
    }


def _begin(connection: Connection) -> None:
    """Begin a transaction with its settings, in one message to the server."""
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    terms = _terms(driver.info.server_version)
    connection.exec_driver_sql("; ".join([BEGIN, *(f"SET LOCAL {name} = {value}" for name, value in terms.items())]))


def _greet(connection: psycopg.Connection[Any], _record: object) -> None:
    """Check whether a new connection leads to the server itself or to a pooler before it."""
    if not is_direct(connection):
        connection.prepare_threshold = None  # The next transaction may be on a connection that prepared nothing.


def is_direct(connection: psycopg.Connection[Any]) -> bool:
    """Return True if no pooler stands between us and the server, which then also probes us while we are idle."""
    return connection.execute(KEEP_ALIVE, (connection.info.backend_pid,)).fetchone() is not None


def _ping_after_rest(engine: Engine, seconds: float) -> None:
    """Probe a connection that was idle for so long, where ``pool_pre_ping`` probes at each use.

    After a restart of the server, the first user of a connection that rested for less gets an outage, which renews the
    pool.
    """

    @event.listens_for(engine, "checkin")
    def rest(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[RESTS_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def probe(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.pop(RESTS_SINCE, None)
        if since is None or time.monotonic() - since < seconds:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error


class Database:
    """An engine and its sessions. One per process; safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        pool_size: int = 10,
        application: str = "phytobatch",
        announce: Announce | None = None,
        trust_seconds: float = 0.0,
    ) -> None:
        """Connect lazily.

        Args:
            settings: name the server.
            pool_size: maximum of connections at a time.
            application: the name that the server shows.
            announce: receives the jobs that a transaction changed, after its commit; it never waits.
            trust_seconds: a connection that was used within this time is not probed. For programs that try again after
                an outage anyway: it saves them a round trip in each transaction.
        """
        self._announce = announce
        self._connect = {**CONNECT, "application_name": application}
        self.engine: Engine = create_engine(
            settings.database_url.get_secret_value(),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            json_deserializer=read_stored,
            pool_pre_ping=trust_seconds == 0,
            isolation_level="AUTOCOMMIT",  # The driver begins nothing by itself: ``_begin`` does.
            connect_args=self._connect,
        )
        event.listen(self.engine, "connect", _greet)
        event.listen(self.engine, "begin", _begin)
        if trust_seconds:
            _ping_after_rest(self.engine, trust_seconds)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction: committed at the end of the block, rolled back if the block raises.

        Raises:
            DatabaseUnavailable: the database cannot be reached; nothing was stored, unless the connection broke
                during the commit itself.
        """
        try:
            with DATABASE_SECONDS.time(), self._sessions.begin() as session:
                yield session
            if self._announce is not None and (jobs := session.info.get(CHANGED)):
                self._announce(jobs)
        except (DBAPIError, PoolTimeout) as error:
            if is_outage(error):
                DATABASE_OUTAGES.inc()
                raise DatabaseUnavailable("the database cannot be reached; try again in a few seconds") from error
            raise

    def run(self, work: Callable[[Session], T], *, patience_seconds: float = 10.0) -> T:
        """Run ``work`` in a transaction, and again after an outage, for at most ``patience_seconds``.

        ``work`` must be harmless to repeat, because a connection that breaks in the commit leaves the outcome unknown.

        Raises:
            DatabaseUnavailable: the outage lasted longer than the patience.
        """
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                with self.begin() as session:
                    return work(session)
            except DatabaseUnavailable:
                if time.monotonic() >= deadline:
                    raise
                log.warning("database_retry", patience_seconds=patience_seconds)
                time.sleep(RETRY_PAUSE_SECONDS)

    def connect_alone(self) -> psycopg.Connection[Any]:
        """Open a connection outside of the pool and of any transaction.

        Raises:
            psycopg.OperationalError: the database cannot be reached.
        """
        _, named = self.engine.dialect.create_connect_args(self.engine.url)
        return psycopg.connect(**{**named, **self._connect, "autocommit": True})

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
