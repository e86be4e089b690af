"""``python -m tests.benchmarks.split_worker``: a worker that also writes down where its time went.

Twice a second it writes the file named by ``SPLIT_FILE``: how long each stage took, how long any call of the classifier
was under way, and how much processor each of its threads used. All of it counts from the start of the process.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from shared.metrics.definitions import STAGE_SECONDS
from worker import __main__ as worker
from worker import serving
from worker.inference.observer import Stage
from worker.metrics import StageMetrics

FILE = "SPLIT_FILE"
EVERY_SECONDS = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


class Watched(StageMetrics):
    """Also knows when a call of the classifier was under way, whichever thread made it."""

    busy = 0.0
    _until = 0.0
    _lock = threading.Lock()

    def took(self, stage: Stage, seconds: float) -> None:
        """Calls that overlap count once; they come in the order of their ends."""
        super().took(stage, seconds)
        if stage is Stage.PREDICT:
            now = time.perf_counter()
            with Watched._lock:
                Watched.busy += now - max(now - seconds, Watched._until)
                Watched._until = now


def stages() -> dict[str, float]:
    """Seconds in each stage, over all threads."""
    (family,) = STAGE_SECONDS.collect()
    return {sample.labels["stage"]: sample.value for sample in family.samples if sample.name.endswith("_sum")}


def threads() -> dict[str, float]:
    """Seconds of processor by the name of the thread; what is no thread of Python's counts as ``native``."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    used: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        name = names.get(int(task.name), "native")
        used[name] = used.get(name, 0.0) + _processor(task)
    return used


def _processor(task: Path) -> float:
    """User and system time (proc(5), /proc/pid/stat, fields 14 and 15)."""
    try:
        fields = (task / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:  # It has ended.
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def write(path: Path) -> None:
    """Replace the file by what is so now."""
    found: dict[str, Any] = {"stages": stages(), "busy": Watched.busy, "threads": threads(), "all": time.process_time()}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(found), encoding="utf-8")
    new.replace(path)


def _keep_writing(path: Path) -> None:
    while True:
        write(path)
        time.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    serving.StageMetrics = Watched  # type: ignore[attr-defined]  # before the pipelines are opened
    threading.Thread(target=_keep_writing, args=(Path(os.environ[FILE]),), name="split", daemon=True).start()
    worker.main()
