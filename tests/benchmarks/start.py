"""``python -m tests.benchmarks.start``: how long until something works, each in processes of their own.

A classifier, warm, on each runtime, with the memory that it then holds; a worker that is ready to claim; and
``make demo`` the second time: the whole stack and sixty photographs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shared.contracts.manifest import Runtime
from tests.benchmarks.figures import Figures
from tests.benchmarks.throughput import production_system

ROOT = Path(__file__).parents[2]
CHILD = """
import time
begin = time.perf_counter()
import psutil
from shared.contracts.manifest import Runtime
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.runtime import open_classifier
classifier = open_classifier(shipped_classifier_dir(), batch_size=32, runtime=Runtime({runtime!r}))
classifier.warm_up()  # kept: a classifier that is let go of gives its memory back before it is measured
print(time.perf_counter() - begin, psutil.Process().memory_info().rss / 2**20)
"""


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    figures = Figures("start", "from nothing to work")
    runtimes(figures, rounds)
    worker(figures, rounds)
    demo(figures, rounds)
    print(figures.keep())


def runtimes(figures: Figures, rounds: int) -> None:
    """Both runtimes, taking turns."""
    seen: dict[Runtime, list[tuple[float, float]]] = {Runtime.TENSORFLOW: [], Runtime.ONNX: []}
    for _ in range(rounds):
        for runtime, rows in seen.items():
            seconds, memory = _printed(sys.executable, "-c", CHILD.format(runtime=runtime.value)).split()
            rows.append((float(seconds), float(memory)))
    for runtime, rows in seen.items():
        figures.add(f"{runtime}: until a classifier is warm, batch 32", [row[0] for row in rows], "s")
        figures.add(f"{runtime}: memory then", [row[1] for row in rows], "MiB")


def worker(figures: Figures, rounds: int) -> None:
    """From the start of the process until it claims."""
    seconds = []
    with production_system() as system:
        for _ in range(rounds):
            began = time.perf_counter()
            system.start_worker()
            seconds.append(time.perf_counter() - began)
            system.stop_workers()
    figures.add("a worker until it is ready", seconds, "s")


def demo(figures: Figures, rounds: int) -> None:
    """``make demo``, after a first run that made its photographs and databases."""
    with tempfile.TemporaryDirectory(prefix="phytobatch-demo-") as data:
        _demo(data)
        figures.add("make demo, the second time", [_demo(data) for _ in range(rounds)], "s")


def _demo(data: str) -> float:
    began = time.perf_counter()
    _printed(sys.executable, "-m", "deploy.local", "demo", PHYTOBATCH_LOCAL_DATA=data)
    return time.perf_counter() - began


def _printed(*command: str, **environment: str) -> str:
    given = os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, check=True, env=given, cwd=ROOT).stdout


if __name__ == "__main__":
    main()
