"""``demo``: the main job from end to end, with the real programs and the real command line client."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.card import wait_for_card
from deploy.local.child import start_in_terminal
from deploy.local.control import ignoring_interrupts, stoppable
from deploy.local.errors import FolderRefused, LocalStackError
from deploy.local.folder import DataFolder
from deploy.local.samples import sample_photos, wrong_results
from deploy.local.screen import Steps, console, show_results
from deploy.local.stack import API_KEY, CHECK_SECONDS, Stack
from deploy.local.state import StackState

# Exit codes of `phytobatch submit`.
ALL_CLASSIFIED, SOME_FAILED = 0, 3
STOP_SECONDS = 10.0
INTERRUPTED = 130
WRONG_RESULT = 1


@dataclass(frozen=True)
class Service:
    """The address and key of a running Phytobatch, with a function that restarts its ended parts."""

    url: str
    api_key: str
    check: Callable[[], None]


def demo(folder: DataFolder, photos: Path | None) -> int:
    """Start the stack (or use the running one), classify photos, show the results, stop what was started.

    Args:
        folder: the data folder.
        photos: the user's photos; None for the synthetic ones.

    Returns:
        The exit code: the client's own for the user's photos; for the synthetic ones 0 if exactly the broken files
        have no class.

    Raises:
        LocalStackError: a part could not be started, or the photos could not be made.
    """
    steps = Steps()
    if photos is not None and not photos.is_dir():
        raise LocalStackError(f"{photos} is no folder")
    try:
        with stoppable(), service(folder, steps) as running:
            chosen = photos if photos is not None else sample_photos(folder, steps)
            return _classify(running, folder, chosen, steps, check=photos is None)
    except KeyboardInterrupt:
        steps("interrupted")
        return INTERRUPTED


@contextmanager
def service(folder: DataFolder, steps: Steps) -> Iterator[Service]:
    """Yield the stack that runs on ``folder``, or one that is started now and stopped at the end."""
    card = wait_for_card(folder)
    if card is not None:
        key = StackState(folder.secrets).known_secret(API_KEY)
        if key is None:
            raise FolderRefused(f"{folder.secrets} has no API key; stop the stack and start it again")
        steps(f"using the stack that runs at {card.url} (process {card.pid})")
        yield Service(card.url, key, check=lambda: None)
        return
    stack = Stack(folder.path, say=steps)
    try:
        stack.start()
        yield Service(stack.url, stack.api_key, stack.check)
    finally:
        with ignoring_interrupts():
            stack.stop()
        steps("stack stopped; its data is kept")


def _classify(running: Service, folder: DataFolder, photos: Path, steps: Steps, *, check: bool) -> int:
    out = folder.path / "demo"
    out.mkdir(exist_ok=True)
    results = out / "results.csv"
    results.unlink(missing_ok=True)
    steps(f"phytobatch submit {photos} --watch --out {results}")
    command = ["submit", str(photos), "--watch", "--out", str(results), "--state-dir", str(out / "state")]
    code = _run_client(running, command)
    steps(f"the client ended with exit code {code}")
    if code not in {ALL_CLASSIFIED, SOME_FAILED}:
        return code
    rows = read_rows(results)
    show_results(rows)
    for name, path in {"results": results, "logs": folder.logs, "data folder": folder.path}.items():
        console.print(f"  {name:<12} {path}", markup=False)
    return _verdict(photos, rows, steps) if check else code


def _verdict(samples: Path, rows: list[dict[str, str]], steps: Steps) -> int:
    wrong = wrong_results(samples, {row["name"] for row in rows if row["status"] == "succeeded"})
    for sentence in wrong:
        steps(f"WRONG: {sentence}")
    if not wrong:
        steps("as it should be: every good photo has a class, the broken files have a reason")
    return WRONG_RESULT if wrong else 0


def _run_client(running: Service, arguments: list[str]) -> int:
    environment = {**os.environ, "PHYTOBATCH_URL": running.url, "PHYTOBATCH_API_KEY": running.api_key}
    client = start_in_terminal([sys.executable, "-m", "phytobatch", *arguments], environment)
    try:
        while (code := client.poll()) is None:
            running.check()
            time.sleep(CHECK_SECONDS)
    finally:
        if client.poll() is None:
            client.terminate()
            try:
                client.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                client.kill()
                client.wait()
    return code


def read_rows(results: Path) -> list[dict[str, str]]:
    """Read the rows of a results file."""
    with results.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
