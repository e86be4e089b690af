"""What is looked at: the servers of the settings, connected when they are first asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, text

from shared.db.session import Database
from shared.programs import ProgramKind, at_work
from shared.settings import Settings
from shared.storage.s3 import S3Store, open_client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class Subject:
    """The settings, and what they lead to."""

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
        """The same server, for what the programs never ask of it."""
        return open_client(self.settings, self.settings.s3_endpoint_url, 1)

    def row(self, query: str, **values: object) -> Row[Any]:
        """The one row of a query, in a transaction of its own.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        with self.database.begin() as session:
            return session.execute(text(query), values).one()

    def at_work(self, kind: ProgramKind) -> int:
        """How many programs of a kind say that they are at work.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        with self.database.begin() as session:
            return at_work(session, kind)

    @contextmanager
    def at_hand(self) -> Iterator["Subject"]:
        """Let go of every connection at the end."""
        try:
            yield self
        finally:
            if "s3" in self.__dict__:
                self.s3.close()
            if "database" in self.__dict__:
                self.database.dispose()
