"""The embedded servers of one data folder, together; ``up``, ``demo`` and the tests start them.

``with LocalServers.temporary() as servers:`` gives a test its own; ``servers.environment`` leads programs to them.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from deploy.local.errors import LocalStackError
from deploy.local.folder import DataFolder, FolderLock
from deploy.local.objects import REGION, ObjectServer
from deploy.local.postgres import PostgresServer
from deploy.local.server import Server
from deploy.local.state import StackState
from deploy.local.valkey import ValkeyServer

ALL_SERVICES = ("postgres", "valkey", "objects")
BUCKET = "phytobatch"


def silent(_message: str) -> None:
    """Say nothing."""


class LocalServers:
    """Embedded servers on one data folder, which is locked while this lives between ``start`` and ``stop``.

    Args:
        data_dir: folder of data, logs and secrets; made at the first start.
        services: some of ``postgres``, ``valkey``, ``objects``.
        fast: no fsync; for tests.
        postgres_programs: folder of the programs of another PostgreSQL; None for the one of the wheel.
        say: receives a line for a person at every step.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        services: Collection[str] = ALL_SERVICES,
        fast: bool = False,
        postgres_programs: Path | None = None,
        say: Callable[[str], None] = silent,
    ) -> None:
        if unknown := set(services) - set(ALL_SERVICES):
            raise ValueError(f"unknown services {sorted(unknown)}; there are {', '.join(ALL_SERVICES)}")
        self.folder = DataFolder(data_dir)
        self._services = services
        self._fast = fast
        self._postgres_programs = postgres_programs
        self._say = say
        self._lock = FolderLock(self.folder)
        self._state: StackState | None = None
        self._servers: dict[str, Server] = {}

    @classmethod
    @contextmanager
    def temporary(
        cls,
        *,
        services: Collection[str] = ALL_SERVICES,
        fast: bool = True,
        postgres_programs: Path | None = None,
    ) -> Iterator[Self]:
        """Start servers on a data folder of their own that is removed at the end, for tests."""
        # Not pytest's tmp_path: that lies below a private folder, which PostgreSQL's user cannot reach under root.
        parent = Path(tempfile.mkdtemp(prefix="phytobatch-test-"))
        parent.chmod(0o711)
        servers = cls(parent / "data", services=services, fast=fast, postgres_programs=postgres_programs)
        try:
            with servers:
                yield servers
        finally:
            servers.remove()
            shutil.rmtree(parent)

    def start(self) -> None:
        """Start all servers at the same time, and return when all answer.

        Raises:
            FolderRefused: the data folder cannot be used.
            FolderInUse: another process has servers on this data folder.
            NotPossibleHere: this user or machine cannot run one of them.
            ProcessFailed: one does not start; the message shows the end of its log.
        """
        self.folder.prepare()
        self._lock.take()
        try:
            self._servers = self._make()
            with ThreadPoolExecutor(len(ALL_SERVICES)) as pool:
                for done in [pool.submit(self._start_one, server) for server in self._servers.values()]:
                    done.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every server and unlock the data folder; harmless if none runs."""
        if self._servers:
            with ThreadPoolExecutor(len(ALL_SERVICES)) as pool:
                for done in [pool.submit(server.stop) for server in self._servers.values()]:
                    done.result()
        self._lock.release()

    def remove(self) -> None:
        """Delete the data folder of stopped servers, if there is one, and its data outside of it."""
        if self.folder.is_ours:
            remove_data(self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def all(self) -> list[Server]:
        """The servers that were started."""
        return list(self._servers.values())

    @property
    def state(self) -> StackState:
        """Ports and secrets of this data folder.

        Raises:
            LocalStackError: the servers have not been started.
        """
        if self._state is None:
            raise LocalStackError("the servers were not started")
        return self._state

    @property
    def postgres(self) -> PostgresServer:
        """The PostgreSQL. Raises LocalStackError if it is not among the services, or before the start."""
        server = self._servers.get("postgres")
        if isinstance(server, PostgresServer):
            return server
        raise LocalStackError("PostgreSQL was not started")

    @property
    def valkey(self) -> ValkeyServer:
        """The Valkey. Raises LocalStackError if it is not among the services, or before the start."""
        server = self._servers.get("valkey")
        if isinstance(server, ValkeyServer):
            return server
        raise LocalStackError("Valkey was not started")

    @property
    def objects(self) -> ObjectServer:
        """The object store. Raises LocalStackError if it is not among the services, or before the start."""
        server = self._servers.get("objects")
        if isinstance(server, ObjectServer):
            return server
        raise LocalStackError("SeaweedFS was not started")

    @property
    def environment(self) -> dict[str, str]:
        """The ``PHYTOBATCH_*`` variables (shared/settings.py) that lead programs to these servers."""
        variables: dict[str, str] = {}
        if "postgres" in self._servers:
            variables["PHYTOBATCH_DATABASE_URL"] = self.postgres.url
        if "valkey" in self._servers:
            variables["PHYTOBATCH_REDIS_URL"] = self.valkey.url
        if "objects" in self._servers:
            variables |= {
                "PHYTOBATCH_S3_ENDPOINT_URL": self.objects.url,
                "PHYTOBATCH_S3_BUCKET": BUCKET,
                "PHYTOBATCH_S3_REGION": REGION,
                "PHYTOBATCH_S3_ACCESS_KEY_ID": self.objects.access_key,
                "PHYTOBATCH_S3_SECRET_ACCESS_KEY": self.objects.secret_key,
            }
        return variables

    def _make(self) -> dict[str, Server]:
        self._state = state = StackState(self.folder.secrets)
        folder, fast = self.folder, self._fast
        makers: dict[str, Callable[[], Server]] = {
            "postgres": lambda: PostgresServer(
                folder, state, fast=fast, programs=self._postgres_programs, say=self._say
            ),
            "valkey": lambda: ValkeyServer(folder, state, fast=fast),
            "objects": lambda: ObjectServer(folder, state, fast=fast),
        }
        return {name: make() for name, make in makers.items() if name in self._services}

    def _start_one(self, server: Server) -> None:
        begin = time.monotonic()
        server.start()
        self._say(f"{server.title} on port {server.port} ({time.monotonic() - begin:.1f} s)")


def remove_data(folder: DataFolder) -> None:
    """Delete a data folder and its data outside of it.

    Raises:
        FolderRefused: it does not carry our marker.
        FolderInUse: a stack runs on it.
    """
    places = StackState(folder.secrets).places if folder.is_ours and folder.secrets.exists() else []
    folder.remove()
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
