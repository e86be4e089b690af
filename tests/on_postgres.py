"""``python -m tests.on_postgres [FOLDER]``: the tests that read plans, on another PostgreSQL than the embedded one.

The planner differs from version to version, and so do the ways in which it can be wrong. Without a folder of programs
(``/usr/lib/postgresql/17/bin``), the oldest version that is supported, as Debian 12 has it. What stands behind the
folder goes to pytest in place of ``-m plans tests/integration``.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.programs import find, in_ci, missing

ROOT = Path(__file__).parents[1]
# Names the folder of the programs of another PostgreSQL to the tests.
OTHER_POSTGRES = "TESTS_ON_POSTGRES"
OLDEST = "/usr/lib/postgresql/15/bin/postgres"
PLANS = ("-m", "plans", "tests/integration")


def main(arguments: Sequence[str]) -> int:
    """Run the tests; the exit status of pytest. 0 where there is no other PostgreSQL, but not in CI."""
    oldest = find(OLDEST)
    if not arguments and oldest is None:
        print(f"{missing(OLDEST)}; plans are read on the embedded PostgreSQL alone")  # noqa: T201  # the command's answer
        return int(in_ci())
    folder = Path(arguments[0]) if arguments else Path(OLDEST).parent
    subprocess.run([folder / "postgres", "--version"], check=True)
    asked = arguments[1:] or PLANS
    return subprocess.run(
        [sys.executable, "-m", "pytest", *asked], cwd=ROOT, env={**os.environ, OTHER_POSTGRES: str(folder)}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
