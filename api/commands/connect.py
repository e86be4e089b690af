"""A database for the time of one command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from shared.db.session import Database
from shared.errors import ConfigurationError
from shared.settings import get_settings


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction on the database of the settings.

    Raises:
        DatabaseUnavailable: it cannot be reached.
        ConfigurationError: its tables are missing or old.
    """
    database = Database(get_settings(), pool_size=1, application="phytobatch-admin")
    try:
        with database.begin() as session:
            yield session
    except ProgrammingError as error:
        raise ConfigurationError(
            "the database has no tables of ours, or old ones; run `python -m api.admin migrate` first"
        ) from error
    finally:
        database.dispose()
