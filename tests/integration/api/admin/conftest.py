"""Operator commands, on a database of their own for each test."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from api.admin.program import main
from shared.db.models import Classifier
from shared.db.session import Database
from shared.settings import Settings, get_settings
from tests.integration.conftest import MakeSettings
from tests.integration.jobs.factory import Jobs
from tests.integration.webhooks.factory import Outbox


@dataclass(frozen=True, slots=True)
class Admin:
    """Runs commands as `python -m api.admin` does."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Exit status, what was printed, what was said of a refusal."""
        self.capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return status, said.out.strip(), said.err.strip()

    def say(self, *arguments: object) -> str:
        """Return the output of a command that succeeds."""
        status, said, refused = self(*arguments)
        assert status == 0, refused or said
        return said

    def rows(self, *arguments: object) -> list[list[str]]:
        """The rows below the headings of the first table that a command prints."""
        lines = self.say(*arguments).split("\n\n")[0].splitlines()
        return [re.split(r" {2,}", line) for line in lines[1:]]


def set_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands read these settings from the environment."""
    for name, value in settings:
        if value is not None:
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
            monkeypatch.setenv(f"PHYTOBATCH_{name.upper()}", text)
    get_settings.cache_clear()


@pytest.fixture(autouse=True)
def settings_are_read_anew() -> Iterator[None]:
    """The commands read the environment of their test."""
    yield
    get_settings.cache_clear()


@pytest.fixture
def admin_settings(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the commands: a new database, by environment variables."""
    settings = make_settings()
    set_environment(settings, monkeypatch)
    return settings


@pytest.fixture
def admin(admin_settings: Settings, capsys: pytest.CaptureFixture[str]) -> Admin:
    assert admin_settings is not None
    return Admin(capsys)


@pytest.fixture
def database(admin_settings: Settings) -> Iterator[Database]:
    """The database of the commands, for what happens in it meanwhile."""
    made = Database(admin_settings)
    yield made
    made.dispose()


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """Makes jobs in the database of the commands."""
    with database.begin() as session:
        classifier = session.query(Classifier).one()
    return Jobs(database, classifier)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    """A tenant with webhooks in the database of the commands."""
    return Outbox.of(database)
