"""The base of the three embedded servers: start, wait until ready, stop, kill, start again."""

import os
import shutil
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from deploy.local.child import Child, Program
from deploy.local.errors import LocalStackError, ProcessFailed
from deploy.local.folder import DataFolder
from deploy.local.ports import free_port, is_free
from deploy.local.state import StackState

READY_SECONDS = 240.0
START_ATTEMPTS = 4
RETRY_SECONDS = 0.5


class Server(ABC):
    """An embedded server: a child process, its data, its port."""

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, folder: DataFolder, state: StackState, *, fast: bool = False) -> None:
        self.folder = folder
        self.state = state
        self.fast = fast
        self.port = 0
        self._child: Child | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address that programs connect to, with its password if there is one."""

    @property
    @abstractmethod
    def home(self) -> Path:
        """The folder with this server's data."""

    @abstractmethod
    def prepare(self) -> None:
        """Make everything that the server needs to start (data folder, configuration); repeatable."""

    @abstractmethod
    def program(self) -> Program:
        """Return the command for the current port."""

    @abstractmethod
    def answers(self) -> bool:
        """Return True if the server answers a real request now; an open port is not enough."""

    @property
    def log(self) -> Path:
        """The log file of the server."""
        return self.folder.logs / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self._child is not None and self._child.returncode is None

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            LocalStackError: the server was not started.
        """
        if self._child is None:
            raise LocalStackError(f"{self.title} was not started")
        return self._child.pid

    def exit_code(self) -> int | None:
        """Return the exit code if the process ended by itself; None while it runs or after :meth:`stop`."""
        return self._child.returncode if self._child is not None else None

    def port_usable(self, port: int) -> bool:
        """Return True if the server could use ``port`` now."""
        return is_free(port)

    def start(self) -> None:
        """Start the server, unless it runs, and wait until it answers.

        Raises:
            ProcessFailed: it ended, or does not answer in time; the message shows the end of its log.
        """
        if self.running:
            return
        for attempt in range(1, START_ATTEMPTS + 1):
            self.port = self.state.port(self.name, lambda: free_port(self.port_usable), self.port_usable)
            self.prepare()
            child = Child(self.program())
            self._child = child
            try:
                child.wait_ready(self.answers, READY_SECONDS)
            except BaseException as error:
                ended = child.returncode is not None
                self.kill()
                # A server that ends at once may have lost its port to somebody quicker, or still find remains of
                # one that was killed: both pass.
                if not (ended and isinstance(error, ProcessFailed) and attempt < START_ATTEMPTS):
                    raise
                time.sleep(RETRY_SECONDS)
            else:
                return

    def stop(self) -> None:
        """Stop the server in an orderly way, by force after its bound; harmless if it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """Send SIGKILL to the server and its own children; return when they are gone."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self, *, empty: bool = False) -> None:
        """Stop (unless an earlier :meth:`kill` did) and start again, on the same port if it is still free.

        Args:
            empty: delete the data in between, as if the disk had been lost.
        """
        self.stop()
        if empty:
            self.erase()
        self.start()

    def erase(self) -> None:
        """Delete the data of the stopped server."""
        if self.home.exists():
            shutil.rmtree(self.home)


def bare_environment(home: Path) -> dict[str, str]:
    """Return variables for a server, without our own, so that no ``PG…`` or ``AWS_…`` of the user affects it."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(home)}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
