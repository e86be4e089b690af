"""Programs of the manual as processes, ended with the test that started them."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import urllib3

from tests.patience import PATIENCE_SECONDS, wait_for


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
    with urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS) as pool:

        def ask() -> urllib3.BaseHTTPResponse:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            return pool.request("GET", f"http://127.0.0.1:{port}/")

        wait_for(ask, not_yet=(urllib3.exceptions.HTTPError,))
