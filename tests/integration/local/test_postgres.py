import os
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from deploy.local.errors import ProcessFailed
from deploy.local.servers import LocalServers
from tests.patience import PATIENCE_SECONDS


def rows(servers: LocalServers, statement: str, database: str = "phytobatch") -> list[tuple[object, ...]]:
    with psycopg.connect(servers.postgres.connection_string(database), autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def execute(servers: LocalServers, statement: str, database: str = "phytobatch") -> None:
    with psycopg.connect(servers.postgres.connection_string(database), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_it_speaks_utf_8_and_utc_and_checks_its_pages(servers: LocalServers) -> None:
    shown = {name: rows(servers, f"SHOW {name}")[0][0] for name in ("server_encoding", "timezone", "data_checksums")}
    assert shown == {"server_encoding": "UTF8", "timezone": "UTC", "data_checksums": "on"}


def test_it_listens_on_the_loopback_address_alone(servers: LocalServers) -> None:
    assert rows(servers, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert rows(servers, "SHOW unix_socket_directories") == [("",)]


def test_a_wrong_password_is_refused(servers: LocalServers) -> None:
    wrong = servers.postgres.connection_string().replace("phytobatch:", "phytobatch:x", 1)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_what_was_committed_survives_kill_9_on_the_same_port(servers: LocalServers) -> None:
    execute(servers, "CREATE TABLE kept AS SELECT 7 AS number")
    port, pid = servers.postgres.port, servers.postgres.pid
    servers.postgres.kill()
    assert not Path(f"/proc/{pid}").exists()
    servers.postgres.restart()
    assert servers.postgres.port == port
    assert rows(servers, "SELECT number FROM kept") == [(7,)]


def test_a_killed_server_is_replaced_although_a_backend_was_busy(servers: LocalServers) -> None:
    with psycopg.connect(servers.postgres.connection_string(), autocommit=True) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        sleeper = threading.Thread(target=_sleep_in, args=(connection,))
        sleeper.start()
        servers.postgres.kill()
        sleeper.join()
    assert psutil.wait_procs([backend], timeout=PATIENCE_SECONDS)[1] == []
    servers.postgres.restart()
    assert rows(servers, "SELECT 1") == [(1,)]


def _sleep_in(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT pg_sleep(60)")


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(servers: LocalServers) -> None:
    servers.postgres.kill()
    pid_file = servers.postgres.data / "postmaster.pid"
    lines = pid_file.read_text(encoding="ascii").split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]), encoding="ascii")
    servers.postgres.start()
    assert rows(servers, "SELECT 1") == [(1,)]


def test_a_database_is_cloned_from_a_template(servers: LocalServers) -> None:
    template = servers.postgres.create_database()
    execute(servers, "CREATE TABLE shape AS SELECT 1 AS one", template)
    clone = servers.postgres.create_database(template=template)
    assert clone != template
    assert rows(servers, "SELECT one FROM shape", clone) == [(1,)]
    for name in (clone, template):
        servers.postgres.drop_database(name)
        assert not servers.postgres.database_exists(name)


def test_an_initdb_that_was_cut_off_is_run_again() -> None:
    with LocalServers.temporary(services=["postgres"]) as servers:
        servers.postgres.stop()
        unfinished = servers.postgres.home / "data.new"
        servers.postgres.data.rename(unfinished)
        (unfinished / "PG_VERSION").unlink()
        servers.postgres.start()
        assert rows(servers, "SELECT 1") == [(1,)]
        assert not unfinished.exists()


def test_the_password_stands_in_no_command_line_and_no_file_but_the_secrets(servers: LocalServers) -> None:
    command = Path(f"/proc/{servers.postgres.pid}/cmdline").read_text(encoding="utf-8")
    password = servers.postgres.connection_string().split(":")[2].split("@")[0]
    assert password not in command
    assert not (servers.postgres.home / "password").exists()


def test_a_server_that_cannot_start_says_why_with_the_end_of_its_log() -> None:
    with LocalServers.temporary(services=["postgres"]) as servers:
        servers.postgres.stop()
        (servers.postgres.data / "PG_VERSION").write_text("9.6\n", encoding="ascii")
        with pytest.raises(ProcessFailed, match="incompatible with server"):
            servers.postgres.start()
        assert not servers.postgres.running
