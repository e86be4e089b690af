"""Restarts of one process that ended by itself, after a pause that grows."""

import time
from collections.abc import Callable
from typing import Protocol

from deploy.local.child import Child, Program, describe_exit
from deploy.local.errors import LocalStackError

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STABLE_SECONDS = 60.0  # who has run for so long starts with a short pause again


class Process(Protocol):
    """A process that can be restarted: an embedded server, or one of our programs."""

    @property
    def name(self) -> str: ...  # noqa: D102  # the name of its log

    @property
    def pid(self) -> int: ...  # noqa: D102

    def start(self) -> None: ...  # noqa: D102

    def stop(self) -> None: ...  # noqa: D102

    def exit_code(self) -> int | None:
        """Return the exit code if it ended by itself, else None."""


class ProgramProcess:
    """A program of ours, with a command that may change from start to start."""

    def __init__(self, name: str, make: Callable[[], Program]) -> None:
        self.name = name
        self._make = make
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 while it does not run."""
        return self._child.pid if self._child is not None else 0

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        self._child = Child(self._make())

    def wait_ready(self, check: Callable[[], bool], seconds: float) -> None:
        """Wait until ``check`` is true.

        Raises:
            LocalStackError: it was not started.
            ProcessFailed: it ended, or was not ready after ``seconds``.
        """
        if self._child is None:
            raise LocalStackError(f"{self.name} was not started")
        self._child.wait_ready(check, seconds)

    def request_stop(self) -> None:
        """Send its stop signal without waiting; :meth:`stop` waits."""
        if self._child is not None:
            self._child.request_stop()

    def stop(self) -> None:
        """Stop it, by force after its bound; harmless if it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def exit_code(self) -> int | None:
        """Return the exit code if it ended by itself, else None."""
        return self._child.returncode if self._child is not None else None


class Keeper:
    """The restarts of one process. The stack calls :meth:`check` again and again."""

    def __init__(
        self, process: Process, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.process = process
        self._say = say
        self._clock = clock
        self._pause = FIRST_PAUSE_SECONDS
        self._started = clock()
        self._due: float | None = None

    @property
    def waiting(self) -> bool:
        """True while the process is down and waits for its next start."""
        return self._due is not None

    def check(self) -> bool:
        """Note that the process ended, or start it again after its pause; return True if it was started."""
        if self._due is None:
            code = self.process.exit_code()
            if code is not None:
                self._note_end(code)
            return False
        if self._clock() < self._due:
            return False
        return self._start_again()

    def _note_end(self, code: int) -> None:
        if self._clock() - self._started >= STABLE_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        self._say(f"{self.process.name} ended ({describe_exit(code)}); it is started again in {self._pause:.0f} s")
        self._plan()

    def _start_again(self) -> bool:
        try:
            self.process.start()
        except LocalStackError as error:
            self._say(f"{error}\n{self.process.name}: next attempt in {self._pause:.0f} s")
            self._plan()
            return False
        self._started, self._due = self._clock(), None
        return True

    def _plan(self) -> None:
        self._due = self._clock() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
