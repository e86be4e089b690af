"""The database, for the time of one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from shared.db.session import Database
from shared.errors import ConfigurationError
from shared.jobs import claims
from shared.queue import Wakeups
from shared.settings import get_settings

# Undefined table, undefined column (PostgreSQL, appendix A).
NO_TABLES = frozenset({"42P01", "42703"})


@contextmanager
def open_database() -> Iterator[Database]:
    """Open the database of the settings, for a command that needs more than one transaction.

    Raises:
        DatabaseUnavailable: it cannot be reached.
        ConfigurationError: its tables are missing or old.
    """
    database = Database(get_settings(), pool_size=1, application="phytobatch-admin")
    try:
        yield database
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) not in NO_TABLES:
            raise
        raise ConfigurationError(
            "the database has no tables of ours, or old ones; run `python -m api.admin migrate` first"
        ) from error
    finally:
        database.dispose()


@contextmanager
def transaction() -> Iterator[Session]:
    """Begin one transaction on the database of the settings; it raises what ``open_database`` raises."""
    with open_database() as database, database.begin() as session:
        yield session


def wake_workers() -> None:
    """Wake workers for ready chunks. Call it after the commit; without it their polls find them in seconds."""
    settings = get_settings()
    with transaction() as session:
        ready = claims.ready_chunks(session, limit=settings.wakeup_window)
    if ready:
        Wakeups(settings).top_up(ready)
