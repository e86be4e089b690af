"""What a new version needs before its programs start, done by one command that may be repeated."""

from pathlib import Path

import pytest

from api.admin.program import main
from deploy.local.servers import LocalServers
from shared.settings import get_settings
from shared.storage.keys import model_key
from shared.storage.s3 import S3Store
from tests.integration.api.admin.conftest import set_environment
from tests.integration.api.admin.test_admin import classifier_folder
from tests.integration.conftest import MakeSettings

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _new_installation(servers: LocalServers, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = servers.postgres.database_url(servers.postgres.create_database())
    set_environment(make_settings(database_url=url, s3_bucket="made-by-prepare"), monkeypatch)


@pytest.fixture
def another_default(tmp_path: Path, capsys: Said) -> str:
    """A classifier that is registered as the default before this version is prepared."""
    assert main(["migrate"]) == 0
    assert main(["register-classifier", str(classifier_folder(tmp_path / "one")), "--default"]) == 0
    return capsys.readouterr().out.splitlines()[-1].split()[0]


def test_an_empty_installation_is_prepared_and_so_is_one_that_was_prepared(capsys: Said) -> None:
    assert [main(["prepare"]), main(["prepare"])] == [0, 0]
    said = capsys.readouterr().out
    assert "The tables are up to date." in said
    assert "leaf@1 is registered, and is the default." in said
    store = S3Store(get_settings(), connections=1)
    assert store.get(model_key("leaf", "1", "manifest.json"), max_bytes=1_000_000)


def test_the_choice_of_an_operator_who_names_classifiers_is_kept(
    capsys: Said, monkeypatch: pytest.MonkeyPatch, another_default: str
) -> None:
    monkeypatch.setenv("PHYTOBATCH_CLASSIFIERS", f"{another_default},leaf@1")
    get_settings.cache_clear()
    assert main(["prepare"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "leaf@1 is registered."


def test_where_workers_serve_the_shipped_one_it_becomes_the_default(capsys: Said, another_default: str) -> None:
    assert another_default
    assert main(["prepare"]) == 0
    assert "leaf@1 is registered, and is the default." in capsys.readouterr().out


def test_an_example_secret_of_another_program_is_found_too(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["check-settings"]) == 0
    monkeypatch.setenv("PHYTOBATCH_GRAFANA_PASSWORD", "change-this")
    assert main(["check-settings"]) == 1
    assert "PHYTOBATCH_GRAFANA_PASSWORD" in capsys.readouterr().err
