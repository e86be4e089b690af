"""The factory of the jobs serves the worker's tests too; each test has a database of its own."""

from collections.abc import Iterator

import pytest

from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import MakeSettings
from tests.integration.jobs.conftest import classifier, jobs

__all__ = ["classifier", "jobs"]


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings)
    yield made
    made.dispose()
