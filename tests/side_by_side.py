"""``python -m tests.side_by_side``: all tests, whole programs beside the rest.

Then the tests that read plans once more, on the oldest PostgreSQL that is supported.

Most of the time a test of whole programs waits: for a start, a lease, a pause. Side by side the two groups take little
longer than the longer one alone. Each has servers, databases and ports of its own.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests import on_postgres

ROOT = Path(__file__).parents[1]
BESIDE = ("tests/acceptance",)
SHOWN = ("tests/unit", "tests/contract", "tests/integration", "tests/model")


def main() -> int:
    """Show one group while it runs, the other when both are over; returns 0 if all are green."""
    with tempfile.TemporaryFile() as output:
        beside = subprocess.Popen(_command(BESIDE), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            shown = subprocess.run(_command(SHOWN), cwd=ROOT, check=False).returncode
            older = on_postgres.main([])
            ended = beside.wait()
        finally:
            beside.terminate()
            beside.wait()
        output.seek(0)
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    return shown or older or ended


def _command(paths: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *paths]


if __name__ == "__main__":
    sys.exit(main())
