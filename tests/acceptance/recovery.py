"""The time of a recovery from a fault: waited for with its bound, and written down where somebody asks for it."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.system import System
from tests.patience import wait_for

FILE = "PHYTOBATCH_RECOVERY_FILE"
TEST = "PYTEST_CURRENT_TEST"  # set by pytest: file::function (phase)


def recovers(reached: Callable[[], bool], *, bound: float) -> float:
    """Wait until the service is back at work; how long that took, in seconds.

    ``bound``: the seconds that ``docs/faults.md`` promises of an idle machine; they are written down, and not asserted.
    """
    began = time.monotonic()
    wait_for(reached, bool)
    took = time.monotonic() - began
    if FILE in os.environ:
        line = {"test": os.environ[TEST].split(" ")[0], "seconds": round(took, 2), "bound": bound}
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return took


def goes_on(system: System, job_id: str) -> Callable[[], bool]:
    """Return a check: more images of the job have an answer in the database than now, or all have one."""

    def answered() -> tuple[int, bool]:
        with system.sql() as sql:
            row = sql.execute(
                "SELECT (SELECT count(*) FROM results WHERE job_id = id), finished_at IS NOT NULL FROM jobs "
                "WHERE id = %s",
                [job_id],
            ).fetchone()
        return (int(row[0]), bool(row[1])) if row else (0, False)

    before, _ = answered()

    def further() -> bool:
        now, is_over = answered()
        return is_over or now > before

    return further
