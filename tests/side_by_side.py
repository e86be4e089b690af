"""``python -m tests.side_by_side``: all tests and the types, in groups that run at the same time.

Then the tests that read plans once more, on the oldest PostgreSQL that is supported.

Most of the time a test of whole programs waits: for a start, a lease, a pause. Side by side the groups keep two
processors busy, and take as long as the longest alone. Each has servers, databases and ports of its own. The workers of
pytest-xdist would each collect all tests, which is 16 s of a processor, where a group collects its own alone.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from tests import on_postgres

ROOT = Path(__file__).parents[1]
PYTEST = (sys.executable, "-m", "pytest")
SHOWN = (*PYTEST, "tests/unit", "tests/contract", "tests/model")
LARGE = ("tests/integration/api", "tests/integration/jobs")
READERS = ("tests/acceptance/client", "tests/acceptance/docs")
KEPT = (
    ("make", "--no-print-directory", "types"),
    (*PYTEST, *LARGE),
    (*PYTEST, "tests/integration", *(f"--ignore={folder}" for folder in LARGE)),
    (*PYTEST, "tests/acceptance", *(f"--ignore={folder}" for folder in READERS)),
    (*PYTEST, *READERS),
)


class Group:
    """A command whose output is kept until it is over."""

    def __init__(self, command: Sequence[str], output: IO[bytes]) -> None:
        self._output = output
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    def end(self) -> int:
        """Wait for the end, show the output, return the exit status."""
        status = self._process.wait()
        self._output.seek(0)
        sys.stdout.buffer.write(self._output.read())
        sys.stdout.flush()
        return status

    def stop(self) -> None:
        """End it, if it still runs."""
        self._process.terminate()
        self._process.wait()


def main(shown: Sequence[str] = SHOWN, kept: Sequence[Sequence[str]] = KEPT) -> int:
    """Show one group while it runs, the others when they are over; return 0 if all are green."""
    with ExitStack() as stack:
        groups = []
        for command in kept:
            groups.append(Group(command, stack.enter_context(tempfile.TemporaryFile())))
            stack.callback(groups[-1].stop)
        failed = subprocess.run(shown, cwd=ROOT, check=False).returncode
        failed |= on_postgres.main([])
        for group in groups:
            failed |= group.end()
    return failed


if __name__ == "__main__":
    sys.exit(main())
