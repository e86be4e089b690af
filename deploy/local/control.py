"""``up``, ``down``, ``status``, ``clean`` and ``admin``."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from deploy.local.card import read_card, read_settings
from deploy.local.errors import LocalStackError
from deploy.local.folder import DataFolder, running_pid
from deploy.local.programs import api_ready
from deploy.local.screen import Steps, console, show_card
from deploy.local.servers import remove_data
from deploy.local.stack import Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Longer than a worker may take, and the servers after it.
DOWN_SECONDS = 75.0
POLL_SECONDS = 0.2
NOTHING_RUNS = 3  # what `status` exits with, as init scripts do (LSB)


def up(folder: DataFolder) -> int:
    """Run the stack until a signal stops it."""
    steps = Steps()
    with stoppable():
        stack = Stack(folder.path, say=steps)
        try:
            stack.start()
            card = read_card(folder)
            if card is not None:
                show_card(card, folder, stack.api_key)
            stack.serve()
        except KeyboardInterrupt:
            steps("stopping")
        finally:
            with ignoring_interrupts():
                stack.stop()
    steps("stopped")
    return 0


def admin(folder: DataFolder, operator: Sequence[str]) -> int:
    """Run an operator's command with the settings of the stack that runs, and return its exit code.

    Raises:
        LocalStackError: no stack runs on this data folder.
    """
    settings = read_settings(folder)
    if settings is None:
        raise LocalStackError(f"nothing runs on {folder.path}; `make up` starts it")
    return subprocess.run(  # noqa: S603  # our own program, with what the user typed
        [sys.executable, "-m", "api.admin", *operator], env={**os.environ, **settings}, check=False
    ).returncode


def down(folder: DataFolder) -> int:
    """Stop the stack that runs on this data folder: SIGTERM, then SIGKILL after a bound. Harmless if none runs."""
    pid = running_pid(folder)
    if pid is None:
        console.print(f"nothing runs on {folder.path}", markup=False)
        return 0
    os.kill(pid, signal.SIGTERM)
    if not _wait_for_end(folder, pid):
        console.print(f"process {pid} did not stop within {DOWN_SECONDS:.0f} s: killing it", markup=False)
        os.kill(pid, signal.SIGKILL)
        if not _wait_for_end(folder, pid):
            raise LocalStackError(f"process {pid} cannot be stopped")
    console.print(f"stopped (process {pid})", markup=False)
    return 0


def status(folder: DataFolder) -> int:
    """Print what runs on this data folder; return 0 for a ready stack, 1 for one that is not, 3 for none."""
    pid = running_pid(folder)
    if pid is None:
        console.print(f"nothing runs on {folder.path}", markup=False)
        return NOTHING_RUNS
    card = read_card(folder)
    if card is None:
        console.print(f"process {pid} uses {folder.path}; its API is not ready", markup=False)
        return 1
    ready = api_ready(card.url)
    console.print(f"{card.url} is {'ready' if ready else 'not ready'}; data folder {folder.path}", markup=False)
    for name, child in {"stack": card.pid, **card.processes}.items():
        where = f"  metrics at {card.metrics[name]}" if name in card.metrics else ""
        console.print(f"  {name:<10} process {child:<8}{where}".rstrip(), markup=False)
    return 0 if ready else 1


def clean(folder: DataFolder) -> int:
    """Remove the data folder of a stack that does not run."""
    if not folder.path.exists():
        console.print(f"there is no {folder.path}", markup=False)
        return 0
    remove_data(folder)
    console.print(f"removed {folder.path}", markup=False)
    return 0


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block on Ctrl-C, SIGTERM and a closed terminal."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Ignore a second Ctrl-C in the block: stopping is bounded, and half a stop is worse than none."""
    # Not SIG_IGN: programs started meanwhile would inherit that.
    before = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_end(folder: DataFolder, pid: int) -> bool:
    deadline = time.monotonic() + DOWN_SECONDS
    while running_pid(folder) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
