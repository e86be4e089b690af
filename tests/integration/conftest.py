"""Real servers for every integration test: one set, and a database of its own for each test that asks."""

from collections.abc import Iterator
from importlib.resources import files

import pytest
from alembic import command
from alembic.config import Config

from deploy.local.servers import LocalServers
from shared.db.session import Database
from shared.settings import Settings


@pytest.fixture(scope="session")
def servers() -> Iterator[LocalServers]:
    with LocalServers.temporary(fast=True) as started:
        yield started


@pytest.fixture(scope="session")
def template_database(servers: LocalServers) -> str:
    """A migrated, empty database; nobody connects to it, so that it can be cloned."""
    name = servers.postgres.create_database("template_migrated")
    config = Config(str(files("migrations") / "alembic.ini"))
    config.attributes["url"] = servers.postgres.database_url(name)
    command.upgrade(config, "head")
    return name


@pytest.fixture
def settings(servers: LocalServers, template_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of a program on these servers, with a fresh database."""
    name = servers.postgres.create_database(template=template_database)
    environment = {**servers.environment, "PHYTOBATCH_DATABASE_URL": servers.postgres.database_url(name)}
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    yield Settings()
    servers.postgres.drop_database(name)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings)
    yield opened
    opened.dispose()
