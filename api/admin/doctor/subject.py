"""The servers of the settings, connected when they are first needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, text

from shared.db.session import Database
from shared.programs import ProgramKind, count_running
from shared.settings import Settings
from shared.storage.s3 import S3Store, open_client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class Subject:
    """The settings, and the servers that they name."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def database(self) -> Database:
        """Postgres."""
        return Database(self.settings, pool_size=1, application="phytobatch-admin")

    @cached_property
    def store(self) -> S3Store:
        """The object store as the programs use it."""
        return S3Store(self.settings, connections=1)

    @cached_property
    def s3(self) -> "S3Client":
        """The same server, for calls that the programs never make."""
        return open_client(self.settings, self.settings.s3_endpoint_url, 1)

    def row(self, query: str, **values: object) -> Row[Any]:
        """Return the one row of a query, in a transaction of its own.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        with self.database.begin() as session:
            return session.execute(text(query), values).one()

    def count_running(self, kind: ProgramKind) -> int:
        """Count the programs of a kind with a recent heartbeat.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        with self.database.begin() as session:
            return count_running(session, kind)

    @contextmanager
    def at_hand(self) -> Iterator["Subject"]:
        """Close every connection at the end."""
        try:
            yield self
        finally:
            if "s3" in self.__dict__:
                self.s3.close()
            if "database" in self.__dict__:
                self.database.dispose()
