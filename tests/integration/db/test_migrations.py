"""The migrations and the tables say the same, and every step can be taken back."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from deploy.local.servers import LocalServers

ADD_IMAGE = (
    "INSERT INTO images (job_id, seq, name, size, object_key, captured_at) "
    "SELECT id, :seq, :name, 1, 'key', CAST(:at AS timestamptz) FROM jobs"
)


@pytest.fixture
def config(servers: LocalServers) -> Iterator[Config]:
    name = servers.postgres.create_database()
    config = Config(str(files("migrations") / "alembic.ini"))
    config.attributes["url"] = servers.postgres.database_url(name)
    yield config
    servers.postgres.drop_database(name)


def tables(config: Config) -> set[str]:
    engine = create_engine(config.attributes["url"])
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_up_down_up_ends_where_it_began(config: Config) -> None:
    command.upgrade(config, "head")
    made = tables(config)
    assert {"jobs", "images", "chunks", "results", "events"} <= made
    command.downgrade(config, "base")
    assert tables(config) == set()
    command.upgrade(config, "head")
    assert tables(config) == made


# What Alembic reflects of a constraint that is NOT VALID, SQLAlchemy has no name for.
@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options':sqlalchemy.exc.SAWarning")
def test_the_migrations_make_the_tables_that_the_models_describe(config: Config) -> None:
    command.upgrade(config, "head")
    command.check(config)


def test_a_moment_that_can_never_be_read_is_forgotten_and_kept_out(config: Config) -> None:
    """What API and sidecars took before, and what a program of the version before would still write."""
    command.upgrade(config, "0008")
    engine = create_engine(config.attributes["url"])
    try:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 't')"))
            connection.execute(
                text("INSERT INTO jobs (id, tenant_id, state, priority) SELECT id, id, 'draft', 'bulk' FROM tenants")
            )
            for seq, moment in enumerate(("0001-01-01T00:00:00+14:00", "infinity", "10000-01-01", "2026-06-01"), 1):
                put = {"seq": seq, "name": f"{seq}.jpg", "at": moment}
                connection.execute(text(ADD_IMAGE), put)
        command.upgrade(config, "head")
        with engine.begin() as connection:
            kept = connection.execute(text("SELECT seq, captured_at IS NULL FROM images ORDER BY seq")).all()
        assert [tuple(row) for row in kept] == [(1, True), (2, True), (3, True), (4, False)]
        with pytest.raises(IntegrityError, match="captured_at_readable"), engine.begin() as connection:
            connection.execute(text(ADD_IMAGE), {"seq": 5, "name": "5.jpg", "at": "0001-01-01T00:00:00+14:00"})
    finally:
        engine.dispose()
