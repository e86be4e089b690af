"""Programs of the manual as processes, ended with the test that started them."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import urllib3

from tests.patience import PATIENCE_SECONDS


@contextmanager
def serving(command: Sequence[str], port: int, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A server of the manual, from its first answer on; what it prints goes to ``log``."""
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        try:
            _wait_for_answer(process, port, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_answer(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS) as pool:
        while True:
            try:
                pool.request("GET", f"http://127.0.0.1:{port}/")
            except urllib3.exceptions.HTTPError:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline, "no answer"
                time.sleep(0.05)
            else:
                return
