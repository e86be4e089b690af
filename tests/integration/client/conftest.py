"""The SDK and the command line against the real API; the worker's hands are those of the API's own tests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from phytobatch import Phytobatch
from shared.db.session import Database
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def hands(database: Database) -> Hands:
    """On the database of this module."""
    return Hands(database)


@pytest.fixture
def sdk(api: Api) -> Iterator[Phytobatch]:
    """The SDK for the tenant of ``api``."""
    assert api.key is not None
    with Phytobatch(api.base, api.key) as connected:
        yield connected


@pytest.fixture
def committed(api: Api) -> str:
    """A committed job with five images."""
    job_id = api.new_job(name="five")
    api.add(job_id, *(f"{number}.jpg" for number in range(1, 6)))
    api.commit(job_id)
    return job_id


Beside = Callable[[Callable[[], object]], None]


@pytest.fixture
def beside() -> Iterator[Beside]:
    """Runs something in a thread beside the test; its error is the test's."""
    with ThreadPoolExecutor(4) as pool:
        running = []
        yield lambda do: running.append(pool.submit(do))
        for each in running:
            each.result(PATIENCE_SECONDS)


class Shell:
    """``phytobatch`` as users start it: a process of its own, with an environment of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def run(self, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """A process that must end with ``code``."""
        command = [sys.executable, "-m", "phytobatch", *arguments]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert ended.returncode == code, f"{ended.returncode} {ended.stdout} {ended.stderr}"
        return ended

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401  # a JSON document
        """The document that a process prints with ``--json``."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def shell(api: Api) -> Shell:
    """The command line of a user of ``api``."""
    assert api.key is not None
    return Shell({**os.environ, "PHYTOBATCH_URL": api.base, "PHYTOBATCH_API_KEY": api.key, "COLUMNS": "80"})
