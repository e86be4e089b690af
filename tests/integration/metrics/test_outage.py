"""Scrapes while Postgres is away. It has servers of its own, because it stops them."""

from collections.abc import Iterator

import psutil
import pytest
from alembic import command

from api.metrics import backlog
from deploy.local.ports import free_port
from deploy.local.servers import LocalServers
from shared.db.schema import alembic_config
from shared.settings import Settings
from tests.integration.conftest import serve
from tests.integration.metrics.scrape import Scrape, scrape
from tests.patience import wait_for


@pytest.fixture
def servers() -> Iterator[LocalServers]:
    with LocalServers.temporary(services=("postgres",)) as running:
        yield running


@pytest.fixture
def served(servers: LocalServers, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(backlog, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(backlog, "PATIENCE_SECONDS", 0.5)
    command.upgrade(alembic_config(servers.postgres.url), "head")
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = Settings(
        database_url=servers.postgres.url,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
        s3_bucket="none",
        s3_endpoint_url=nowhere,
        metrics_port=free_port(),
    )
    with serve(settings):
        yield settings.metrics_port


def up_again(port: int) -> Scrape:
    return wait_for(lambda: scrape(port), lambda seen: seen.value("phytobatch_database_up") == 1)


def assert_away(seen: Scrape) -> None:
    assert seen.value("phytobatch_database_up") == 0
    assert seen.labels("phytobatch_jobs", "state") == set()
    assert seen.value("phytobatch_images_waiting") is None
    assert seen.value("phytobatch_build_info", program="api", version="0.1.0") == 1


def test_without_postgres_the_scrape_answers_and_says_so(served: int, servers: LocalServers) -> None:
    assert scrape(served).value("phytobatch_jobs", state="queued") == 0
    servers.postgres.kill()
    assert_away(scrape(served))
    assert scrape(served).total("phytobatch_database_outages_total") >= 1
    servers.postgres.restart()
    assert up_again(served).value("phytobatch_images_waiting") == 0


def test_a_postgres_that_hangs_holds_no_scrape(served: int, servers: LocalServers) -> None:
    assert scrape(served).value("phytobatch_database_up") == 1
    postgres = psutil.Process(servers.postgres.pid)
    everyone = [postgres, *postgres.children(recursive=True)]
    for process in everyone:
        process.suspend()
    try:
        assert_away(scrape(served))
    finally:
        for process in everyone:
            process.resume()
    assert up_again(served).value("phytobatch_images_waiting") == 0
