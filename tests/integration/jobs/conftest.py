"""Fixtures of the jobs: a fresh database with one classifier, and the factory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Manifest
from shared.db.models import Classifier
from shared.db.session import Database
from tests.integration.jobs.factory import Jobs
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def database(fresh_database: Database) -> Database:
    """A claim takes whatever is ready, so each test has a database of its own."""
    return fresh_database


@pytest.fixture
def classifier(database: Database) -> Classifier:
    with database.begin() as session:
        return registry.register(
            session,
            Manifest(
                name="leaf",
                version="1",
                sha256="0" * 64,
                classes=(ClassLabel(id="healthy"), ClassLabel(id="rust")),
                input_size=(8, 8),
            ),
        )


@pytest.fixture
def jobs(database: Database, classifier: Classifier) -> Jobs:
    return Jobs(database, classifier)


@pytest.fixture
def at_once() -> Callable[..., list[object]]:
    """Run functions at the same moment, each in a thread of its own; what they return or raise, in order."""

    def run(*functions: Callable[[], object]) -> list[object]:
        barrier = Barrier(len(functions))

        def start(function: Callable[[], object]) -> object:
            barrier.wait(PATIENCE_SECONDS)
            try:
                return function()
            except Exception as error:  # noqa: BLE001  # the test looks at it
                return error

        with ThreadPoolExecutor(len(functions)) as pool:
            return list(pool.map(start, functions))

    return run
