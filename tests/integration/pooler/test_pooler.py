"""Through PgBouncer everything is as without it, in session mode and in transaction mode."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from shared.db.models import Classifier
from shared.db.session import Database, is_direct
from shared.settings import Settings
from shared.webhooks.clock import DatabaseClock
from shared.webhooks.recording import Outcome
from tests.integration.conftest import Api, insert_key, serve
from tests.integration.jobs.factory import Jobs
from tests.integration.webhooks.factory import Outbox
from worker.webhooks.ledger import Ledger

# More than the times after which psycopg prepares a statement, and more threads than PgBouncer has connections.
ROUNDS = 8
THREADS = 6


def plain(settings: Settings) -> psycopg.Connection[Any]:
    """A connection of psycopg's own, without our terms."""
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


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
