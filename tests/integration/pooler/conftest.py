"""A real PgBouncer before the PostgreSQL of the session, in both of its modes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from deploy.local.account import postgres_account
from deploy.local.child import Child, Program
from deploy.local.ports import LOOPBACK, free_port
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import MakeSettings
from tests.patience import PATIENCE_SECONDS
from tests.programs import program

# Names another PgBouncer to the tests (`make pooler PGBOUNCER=/usr/sbin/pgbouncer`).
OTHER_POOLER = "TESTS_ON_POOLER"
# As it comes, but for the addresses and the size: fewer connections to the server than threads in a test, so that a
# transaction seldom meets the connection of the one before it.
CONFIGURATION = """\
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 100
logfile = {folder}/own.log
"""
POOL_SIZE = {"session": 30, "transaction": 2}


@contextmanager
def pooler(settings: Settings, mode: str) -> Iterator[Settings]:
    """Settings that lead through a pooler of this mode to the same database."""
    path = Path(os.environ.get(OTHER_POOLER) or program("pgbouncer"))
    server, account = make_url(settings.database_url.get_secret_value()), postgres_account()
    with tempfile.TemporaryDirectory(prefix="phytobatch-pooler-") as name:
        folder, port = Path(name), free_port()
        text = CONFIGURATION.format(
            host=LOOPBACK, server_port=server.port, port=port, folder=folder, mode=mode, size=POOL_SIZE[mode]
        )
        (folder / "pgbouncer.ini").write_text(text, encoding="utf-8")
        (folder / "users").write_text(f'"{server.username}" "{server.password}"\n', encoding="utf-8")
        if account is not None:
            account.take_over(folder)
        command = (str(path), str(folder / "pgbouncer.ini"))
        child = Child(Program("pgbouncer", command, folder / "log", {}, folder=folder, account=account))
        through = server.set(port=port)
        try:
            child.wait_ready(
                lambda: answers(through.set(drivername="postgresql").render_as_string(False)), PATIENCE_SECONDS
            )
            yield settings.model_copy(
                update={"database_url": type(settings.database_url)(through.render_as_string(False))}
            )
        finally:
            child.stop()


def answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module", params=["session", "transaction"])
def pooled(request: pytest.FixtureRequest, make_settings: MakeSettings) -> Iterator[Settings]:
    """Settings of a database of its own that is reached through a pooler alone."""
    with pooler(make_settings(), request.param) as settings:
        yield settings


@pytest.fixture(scope="module")
def database(pooled: Settings) -> Iterator[Database]:
    made = Database(pooled, pool_size=8, application="phytobatch-worker")
    yield made
    made.dispose()
