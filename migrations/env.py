"""The environment of Alembic: the tables, and the address of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, pool
from sqlalchemy.exc import OperationalError

from shared.db.base import Base
from shared.db.models import Job
from shared.errors import ConfigurationError
from shared.settings import get_settings

# Two deployments that start at once must not run the same migration twice.
MIGRATION_LOCK = 0x70687974

assert Job.metadata is Base.metadata  # noqa: S101  # importing the models is what fills the metadata


def run() -> None:
    """Run the migrations in one transaction, under a lock."""
    # Behind a pooler the next transaction may be on a connection that prepared nothing.
    engine = create_engine(_url(), poolclass=pool.NullPool, connect_args={"prepare_threshold": None})
    with _connected(engine) as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
        with context.begin_transaction():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()
    engine.dispose()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except OperationalError as error:
        if _own_address() is not None:
            raise  # Our own programs have a sentence for it.
        raise CommandError(f"the database cannot be reached: {error.orig}") from None
    with connection:
        yield connection


def _own_address() -> str | None:
    """Return the address that a program of ours passes on; None under Alembic's own command."""
    address: str | None = context.config.attributes.get("url")
    return address


def _url() -> str:
    try:
        return _own_address() or get_settings().database_url.get_secret_value()
    except ConfigurationError as error:
        raise CommandError(str(error)) from None  # Alembic's own: it prints the sentence, and no trace.


run()
