"""A child process: in a session of its own, ended with its parent, logged to a file, stopped within a bound."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import ProcessFailed

LAUNCHER = Path(__file__).with_name("launch.py")
TIE = "kernel" if sys.platform == "linux" else "watch"
TAIL_LINES = 15
TAIL_BYTES = 8192
LOG_BYTES = 10_000_000  # a log larger than this is rotated at the next start
POLL_SECONDS = 0.05

# PR_SET_PDEATHSIG fires when the *thread* that forked ends, not the process. All children are therefore started by
# this one thread, which lives as long as the process: callers may use any thread.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="child-starter")


@dataclass(frozen=True)
class Program:
    """A program to run, with its log, environment and stop signals."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    orphan_signal: signal.Signals = field(default=signal.SIGKILL)


class Child:
    """A running :class:`Program`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        rotate(program.log)
        self._log_start = program.log.stat().st_size if program.log.exists() else 0
        self._process = _starter.submit(_spawn, program).result()
        self._stop_requested = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code (negative: of that signal), or None while it runs."""
        return self._process.poll()

    def tail(self) -> str:
        """Return the last lines that it logged since its start."""
        return log_tail(self.program.log, self._log_start)

    def failure(self, what: str) -> ProcessFailed:
        """Make an error about this process that shows the end of its log."""
        return ProcessFailed(self.program.name, what, log=self.program.log, tail=self.tail())

    def wait_ready(self, check: Callable[[], bool], seconds: float) -> None:
        """Wait until ``check`` is true.

        Raises:
            ProcessFailed: it ended, or was not ready after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while not check():
            if self.returncode is not None:
                raise self.failure(f"ended at its start ({describe_exit(self.returncode)})")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {seconds:.0f} seconds")
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float) -> int:
        """Wait for its end and return its exit code (see :attr:`returncode`).

        Raises:
            ProcessFailed: it still runs after ``seconds``.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"did not end within {seconds:.0f} seconds") from None

    def request_stop(self) -> None:
        """Send its stop signal, once: to many programs a second one means "at once"."""
        if not self._stop_requested:
            self._stop_requested = True
            self.send(self.program.stop_signal)

    def stop(self) -> None:
        """Request a stop, wait its bound, then kill it. Harmless if it has ended."""
        self.request_stop()
        try:
            self._process.wait(self.program.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._kill_group()

    def kill(self) -> None:
        """Send SIGKILL to it and to everything that it started, and wait until they are gone."""
        offspring = children_of(self.pid)
        self._kill_group()
        for pid in offspring:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself; harmless if it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def start_in_terminal(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a program that shares our terminal (and its Ctrl-C) and, like every child, ends with us."""
    full = [*_launcher(signal.SIGKILL, None), *command]
    return _starter.submit(lambda: subprocess.Popen(full, env=dict(environment))).result()  # noqa: S603  # our own


def _launcher(orphan_signal: signal.Signals, account: Account | None) -> list[str]:
    ids = ["-", "-"] if account is None else [str(account.uid), str(account.gid)]
    return [sys.executable, "-I", "-S", str(LAUNCHER), TIE, str(int(orphan_signal)), str(os.getpid()), *ids]


def _spawn(program: Program) -> "subprocess.Popen[bytes]":
    with program.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # our own programs, no shell
            [*_launcher(program.orphan_signal, program.account), *program.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(program.environment),
            cwd=program.folder,
            start_new_session=True,
        )


def children_of(pid: int) -> list[int]:
    """List the direct children of a process (Linux only); they may be in other sessions."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def rotate(log: Path) -> None:
    """Rename a log that has grown large, replacing the one that was renamed before."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def log_tail(log: Path, start: int = 0) -> str:
    """Return the last lines of ``log`` behind byte ``start``."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def describe_exit(code: int) -> str:
    """Describe an exit code, as ``exit code 3`` or ``killed by SIGKILL``."""
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
