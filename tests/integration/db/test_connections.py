"""What becomes of connections whose server went away and came back."""

import pytest
from sqlalchemy import text

from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from tests.integration.conftest import MakeSettings

LONG = 3600.0
END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
PID = text("SELECT pg_backend_pid()")


def pid_of(database: Database) -> int:
    with database.begin() as session:
        return int(session.execute(PID).scalar_one())


def end_all(database: Database) -> None:
    """End every other connection to this database, as a restart does."""
    with database.begin() as session:
        session.execute(END_OTHERS)


def another(make_settings: MakeSettings, database: Database, trust_seconds: float) -> Database:
    url = database.engine.url.render_as_string(hide_password=False)
    return Database(make_settings(database_url=url), pool_size=2, trust_seconds=trust_seconds)


def test_a_connection_that_rested_is_looked_at_before_it_is_used(
    make_settings: MakeSettings, fresh_database: Database
) -> None:
    for trust_seconds in (0.0, 1e-9):
        database = another(make_settings, fresh_database, trust_seconds)
        before = pid_of(database)
        end_all(fresh_database)
        assert pid_of(database) != before
        database.dispose()


def test_a_trusted_connection_that_died_is_one_outage_and_then_the_pool_is_new(
    make_settings: MakeSettings, fresh_database: Database
) -> None:
    database = another(make_settings, fresh_database, LONG)
    before = pid_of(database)
    assert pid_of(database) == before
    end_all(fresh_database)
    with pytest.raises(DatabaseUnavailable):
        pid_of(database)
    assert pid_of(database) != before
    database.dispose()
