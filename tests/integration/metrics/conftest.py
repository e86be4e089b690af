"""APIs whose metrics are served."""

from collections.abc import Iterator

import pytest

from api.metrics import backlog
from deploy.local.ports import free_port
from shared.settings import Settings
from tests.integration.conftest import Api, MakeSettings, serve


@pytest.fixture
def always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scrape reads anew, so that a test sees what it has just done."""
    monkeypatch.setattr(backlog, "KEPT_SECONDS", 0.0)


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(metrics_port=free_port())


@pytest.fixture(scope="module")
def anonymous(settings: Settings) -> Iterator[Api]:
    with serve(settings) as running:
        yield running
