"""The migrations and the tables say the same, and every step can be taken back."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect

from deploy.local.servers import LocalServers


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


def test_the_migrations_make_the_tables_that_the_models_describe(config: Config) -> None:
    command.upgrade(config, "head")
    command.check(config)
