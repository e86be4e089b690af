"""What the three embedded servers have in common: start, wait until ready, stop, kill, start again."""

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
    """One embedded server: a child process, its data, its port."""

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
        """The address that programs connect to, with the password where the address carries one."""

    @property
    @abstractmethod
    def home(self) -> Path:
        """The folder with this server's data."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs before it can start (data folder, configuration); repeatable."""

    @abstractmethod
    def program(self) -> Program:
        """The command for the current port."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server does its work now: a real request, not an open port."""

    @property
    def log(self) -> Path:
        """The log file of the server."""
        return self.folder.logs / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
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
        """How the process ended, or None while it runs or when it was stopped by us."""
        return self._child.returncode if self._child is not None else None

    def port_usable(self, port: int) -> bool:
        """Whether the server could use ``port`` now."""
        return is_free(port)

    def start(self) -> None:
        """Start the server and wait until it answers; harmless when it runs.

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
        """Stop the server in an orderly way, by force after its bound; harmless when it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def kill(self) -> None:
        """SIGKILL, to the server and its own children; returns when they are gone."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def restart(self, *, empty: bool = False) -> None:
        """Stop (or take note of an earlier :meth:`kill`) and start again, on the same port if it is still free.

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
    """Variables for a server: none of ours, so that no ``PG…`` or ``AWS_…`` of the user changes what it does."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(home)}


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
