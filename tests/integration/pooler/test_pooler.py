"""Through PgBouncer everything is as without it, in session mode and in transaction mode."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import make_url, text

from api.admin.program import main
from deploy.backup.__main__ import main as backup
from deploy.local.servers import LocalServers
from shared.db.models import Classifier
from shared.db.schema import Schema, alembic_config
from shared.db.session import Database, is_direct
from shared.programs import Heartbeat, ProgramKind
from shared.settings import Settings, get_settings
from shared.webhooks.clock import DatabaseClock
from shared.webhooks.recording import Outcome
from tests.integration.api.admin.conftest import set_environment
from tests.integration.conftest import Api, insert_key, serve
from tests.integration.jobs.factory import Jobs
from tests.integration.webhooks.factory import Outbox
from tests.patience import PATIENCE_SECONDS
from worker.leasing.lifeline import Lifeline
from worker.webhooks.ledger import Ledger

# More than the times after which psycopg prepares a statement, and more threads than PgBouncer has connections.
ROUNDS = 8
THREADS = 6


def plain(settings: Settings) -> psycopg.Connection[Any]:
    """A connection of psycopg's own, without our terms."""
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


@pytest.fixture(autouse=True)
def settings_are_read_anew() -> Iterator[None]:
    yield
    get_settings.cache_clear()


@pytest.fixture(scope="module")
def jobs(database: Database) -> Jobs:
    with database.begin() as session:
        return Jobs(database, session.query(Classifier).one())


@pytest.fixture(scope="module")
def through(pooled: Settings, database: Database) -> Iterator[Api]:
    """The API on this pooler, with a key."""
    with serve(pooled) as running:
        yield running.with_key(insert_key(database, Outbox.of(database).tenant_id))


def test_a_pooler_is_recognised_and_the_server_itself_too(pooled: Settings, fresh_database: Database) -> None:
    with plain(pooled) as connection:
        assert not is_direct(connection)
    with fresh_database.engine.connect() as direct:
        assert is_direct(direct.connection.driver_connection)  # type: ignore[arg-type]


def test_every_transaction_has_its_terms_and_leaves_nothing_behind(pooled: Settings, database: Database) -> None:
    asked = "SELECT current_setting('statement_timeout'), current_setting('jit')"

    def terms(_: int) -> tuple[str, ...]:
        with database.begin() as session:
            return tuple(session.execute(text(asked)).one())

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(terms, range(ROUNDS * THREADS))) == {("30s", "off")}
    with plain(pooled) as connection:
        assert connection.execute(asked).fetchone() == ("0", "on")


def test_requests_and_claims_share_two_connections(jobs: Jobs, through: Api) -> None:
    made = jobs.queued(images=ROUNDS * THREADS, chunk_images=1)

    def work(_: int) -> bool:
        drafted = through.new_job()
        through.add(drafted, "a.jpg", "b.jpg")
        assert through.get(f"/v1/jobs/{drafted}").json()["counts"]["total"] == 2
        jobs.finish(jobs.claim())
        return bool(through.commit(drafted)["state"] == "validating")

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(pool.map(work, range(jobs.get(made).open_chunks)))
    assert jobs.get(made).state == "completed"


def test_the_deliverer_claims_and_records(pooled: Settings, database: Database) -> None:
    outbox = Outbox.of(database)
    endpoint = outbox.endpoint("https://example.org/hook")
    ledger = Ledger(pooled, database, DatabaseClock())
    for number in range(ROUNDS):
        event = outbox.event(endpoint, number=number)
        (claim,) = ledger.claim(4)
        ledger.record([Outcome(claim, delivered=True, milliseconds=12, status=204, response="")])
        assert outbox.delivery(event).state == "delivered"


def test_a_pooler_gives_no_lifeline_because_its_connections_are_lent(database: Database) -> None:
    """Claims name none then, and only the leases count."""
    lifeline = Lifeline(database, grace_seconds=1.0)
    lifeline.start(lambda _: None)
    lifeline._thread.join(PATIENCE_SECONDS)
    assert not lifeline._thread.is_alive()
    assert lifeline.number is None


def test_doctor_knows_who_is_at_work_although_nobody_is_connected(
    pooled: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_environment(pooled, monkeypatch)
    Outbox.of(database).endpoint("https://example.org/hook")

    def said() -> str:
        main(["doctor", "--json"])
        return str({one["check"]: one for one in json.loads(capsys.readouterr().out)}["deliverer"])

    assert "no deliverer is at work" in said()
    Ledger(pooled, database, DatabaseClock(), heartbeat=Heartbeat(ProgramKind.DELIVERER, "host:1")).claim(1)
    database.dispose()
    assert "nothing is late" in said()


def test_a_backup_goes_to_the_server_itself(
    pooled: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    set_environment(pooled, monkeypatch)
    assert backup(["create", str(tmp_path / "monday")]) == 1
    assert "leads to a pooler" in capsys.readouterr().err


def test_tables_are_made_through_it(servers: LocalServers, pooled: Settings) -> None:
    url = make_url(pooled.database_url.get_secret_value()).set(database=servers.postgres.create_database())
    command.upgrade(alembic_config(url.render_as_string(hide_password=False)), "head")
    made = Database(pooled.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))}))
    assert Schema().fault(made) is None
    made.dispose()
