"""The accounts of the exporters see statistics and nothing else; made as docker-compose.yml makes them."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.exceptions import NoPermissionError
from sqlalchemy import make_url, text

from deploy.local.postgres_programs import installed_package
from shared.db.session import Database
from shared.settings import Settings
from tests.patience import PATIENCE_SECONDS

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose"
PASSWORD = "Statistics0nly"  # noqa: S105  # of an account of this test
ROLE = "phytobatch_monitor"


@pytest.fixture
def monitor(settings: Settings, database: Database) -> Iterator[str]:
    """The address of the database for the exporter, after the script has run twice."""
    url = make_url(settings.database_url.get_secret_value())
    variables = {
        "PATH": f"{installed_package() / 'pginstall' / 'bin'}:{os.environ['PATH']}",
        "PGHOST": str(url.host),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password),
        "PGDATABASE": str(url.database),
        "MONITOR_PASSWORD": PASSWORD,
    }
    for _ in range(2):
        done = subprocess.run(
            ["sh", COMPOSE / "monitor.sh"],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr
    yield url.set(drivername="postgresql", username=ROLE, password=PASSWORD).render_as_string(hide_password=False)
    with database.begin() as session:
        session.execute(text(f"DROP ROLE {ROLE}"))


def test_the_account_of_postgres_reads_statistics_and_no_row(monitor: str) -> None:
    with psycopg.connect(monitor, autocommit=True) as connection:
        (seen,) = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query <> ''").fetchone() or (0,)
        assert seen > 0
        assert connection.execute("SELECT pg_database_size(current_database())").fetchone()
        for statement in ("SELECT 1 FROM jobs", "DELETE FROM jobs", "CREATE TABLE t ()", "SELECT 1 FROM api_keys"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_account_of_valkey_reads_numbers_and_no_key(settings: Settings) -> None:
    script = (COMPOSE / "valkey.sh").read_text(encoding="utf-8")
    (line,) = re.findall(r"^user (monitor .*)$", script, re.MULTILINE)
    with redis.Redis.from_url(settings.redis_url.get_secret_value()) as admin:
        admin.execute_command("ACL", "SETUSER", *line.replace("${MONITOR_PASSWORD}", PASSWORD).split())
        address = admin.connection_pool.connection_kwargs
        try:
            with redis.Redis(
                host=address["host"], port=address["port"], username="monitor", password=PASSWORD
            ) as exporter:
                assert exporter.info("memory")["used_memory"] > 0
                assert exporter.config_get("maxmemory")
                for command in (("GET", "x"), ("SET", "x", "1"), ("KEYS", "*"), ("PUBLISH", "x", "1"), ("FLUSHALL",)):
                    with pytest.raises(NoPermissionError):
                        exporter.execute_command(*command)
        finally:
            admin.execute_command("ACL", "DELUSER", "monitor")
