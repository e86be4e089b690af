"""A client that freezes with a lock in its hands stops nobody for long, and costs nobody an attempt."""

import os
import struct
import threading
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from shared.db import session as session_module
from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.settings import Settings
from tests.integration.conftest import Api
from tests.patience import PATIENCE_SECONDS

# A whole Parse and the beginning of a Bind whose rest never comes (PostgreSQL, "Message Formats"): the statement is
# under way, so the session is not idle, and a message that is being read cannot be canceled.
QUERY = b"\0SELECT 1\0\0\0"
HALF = b"P" + struct.pack(">I", 4 + len(QUERY)) + QUERY + b"B" + struct.pack(">I", 4000) + b"\0\0"
LOCK = "SELECT 1 FROM jobs WHERE id = %s FOR UPDATE"


@pytest.fixture
def impatient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same database, with limits that a test can wait for."""
    monkeypatch.setattr(session_module, "STATEMENT_TIMEOUT_MS", 500)
    monkeypatch.setattr(session_module, "TRANSACTION_TIMEOUT_MS", 3000)
    made = Database(settings, pool_size=3)
    yield made
    made.dispose()


def lock(database: Database, job_id: str) -> None:
    with database.begin() as session:
        session.execute(text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": uuid.UUID(job_id)})


def test_half_a_statement_holds_its_lock_no_longer_than_a_transaction_may_take(impatient: Database, api: Api) -> None:
    job_id = api.new_job()
    frozen = impatient.engine.connect()
    driver = frozen.connection.driver_connection
    if driver.info.server_version < session_module.TRANSACTION_TIMEOUT_SINCE:  # type: ignore[union-attr]
        frozen.close()
        pytest.skip("PostgreSQL 16 and older end it only when they notice that the peer is gone")
    try:
        frozen.exec_driver_sql(LOCK, (job_id,))
        os.write(driver.fileno(), HALF)  # type: ignore[union-attr]
        with pytest.raises(DatabaseUnavailable):
            lock(impatient, job_id)
        impatient.run(lambda session: session.execute(text("SELECT 1")), patience_seconds=0)
        done = threading.Event()

        def again() -> None:
            impatient.run(
                lambda session: session.execute(
                    text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": uuid.UUID(job_id)}
                ),
                patience_seconds=PATIENCE_SECONDS,
            )
            done.set()

        waiting = threading.Thread(target=again)
        waiting.start()
        waiting.join(PATIENCE_SECONDS)
        assert done.is_set()
    finally:
        frozen.invalidate()
        frozen.close()


def test_a_lock_that_somebody_holds_for_too_long_is_an_outage_and_no_fault(impatient: Database, api: Api) -> None:
    job_id = api.new_job()
    with impatient.engine.connect() as holder:
        holder.exec_driver_sql(LOCK, (job_id,))
        with pytest.raises(DatabaseUnavailable):
            lock(impatient, job_id)
    lock(impatient, job_id)
