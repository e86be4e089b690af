"""What Alembic needs to know: the tables, and where the database is."""

from alembic import context
from alembic.util import CommandError
from sqlalchemy import create_engine, pool

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
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
        with context.begin_transaction():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()
    engine.dispose()


def _url() -> str:
    given: str | None = context.config.attributes.get("url")
    try:
        return given or get_settings().database_url.get_secret_value()
    except ConfigurationError as error:
        raise CommandError(str(error)) from None  # Alembic's own: it prints the sentence, and no trace.


run()
