"""The drill: a backup is restored into temporary servers and compared with the saved data."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import make_url

from deploy.backup.errors import BackupError
from deploy.backup.folder import BackupFolder, Summary
from deploy.backup.objects import Bucket
from deploy.backup.programs import Server
from deploy.backup.restore import restore
from shared.settings import Settings

Servers = Callable[[Settings], AbstractContextManager[Settings]]


@dataclass(frozen=True, slots=True)
class DrillResult:
    """The result of a successful drill."""

    summary: Summary
    objects: int
    seconds: float


def drill(
    settings: Settings, folder: BackupFolder, servers: Servers, *, programs: Path | None, say: Callable[[str], None]
) -> DrillResult:
    """Restore a backup, read every object again, and remove the restored data.

    The rows of every table are counted and every object is compared by its SHA-256.

    Args:
        settings: of the installation.
        folder: of the backup.
        servers: opens the temporary servers.
        programs: folder with ``pg_restore``.
        say: receives a line for a person at every step.

    Raises:
        BackupError: the backup is damaged, or the restored data differ from the saved ones.
        StoreUnavailable: the object store is away.
    """
    began = time.monotonic()
    with servers(settings) as target:
        summary = restore(target, folder, programs=programs, say=say)
        objects = Bucket(target).compare(folder)
        say(f"{sum(summary.rows.values())} rows of {len(summary.rows)} tables and {objects} objects are as they were")
    return DrillResult(summary, objects, time.monotonic() - began)


@contextmanager
def own_servers(settings: Settings) -> Iterator[Settings]:
    """Start PostgreSQL and an object store of the local stack, on a folder of their own below ``TMPDIR``.

    Raises:
        BackupError: this machine lacks the programs.
    """
    try:
        from deploy.local.errors import LocalStackError  # the image for backups has not all of it
        from deploy.local.servers import LocalServers
    except ImportError:
        raise BackupError("the servers of the local stack are not installed here; use --beside") from None
    try:
        with LocalServers.temporary(services=("postgres", "objects")) as servers:
            store = {
                name.removeprefix("PHYTOBATCH_").lower(): value
                for name, value in servers.environment.items()
                if name.startswith("PHYTOBATCH_S3_")
            }
            url = servers.postgres.database_url(servers.postgres.create_database())
            yield Settings(database_url=SecretStr(url), redis_url=settings.redis_url, **store)  # type: ignore[arg-type]
    except LocalStackError as error:
        raise BackupError(f"{error}; `--beside` uses the servers of the installation") from error


@contextmanager
def same_servers(settings: Settings) -> Iterator[Settings]:
    """Make a temporary database and bucket on the servers of the installation; both are removed in the end.

    Raises:
        BackupError: the role may not make a database.
    """
    name = f"phytobatch_drill_{secrets.token_hex(4)}"
    url = settings.database_url.get_secret_value()
    server = Server.of(url)
    try:
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise BackupError(f"a database for the drill cannot be made: {str(error).splitlines()[0]}") from error
    target = settings.model_copy(
        update={
            "database_url": SecretStr(make_url(url).set(database=name).render_as_string(hide_password=False)),
            "s3_bucket": name.replace("_", "-"),
        }
    )
    try:
        yield target
    finally:
        with closing(psycopg.connect(server.conninfo, autocommit=True)) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        Bucket(target).remove()
