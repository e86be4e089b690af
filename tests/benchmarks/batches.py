"""``python -m tests.benchmarks.batches``: what batches of some sizes cost on ONNX Runtime, in time and memory.

As in a worker with two slots on two processors: two callers at a time, each call on one thread. Every size runs in a
process of its own, so that none has the memory of another.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil

from tests.benchmarks.figures import Figures
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier

SIZES = (4, 8, 16, 32)
IMAGES = 512
CALLERS = 2
MEBIBYTE = 1024 * 1024


def main() -> None:
    """Measure, print and keep; with ``--size``, the one measurement of a child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, help="measure this size alone, and print three numbers")
    asked = parser.parse_args()
    if asked.size:
        print(*measured(asked.size))
        return
    figures = Figures("batches", f"ONNX Runtime with {CALLERS} callers, a thread for each call")
    seen: dict[int, list[tuple[float, ...]]] = {size: [] for size in SIZES}
    for _ in range(asked.rounds):
        for size, rows in seen.items():
            command = [sys.executable, "-m", "tests.benchmarks.batches", "--size", str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(tuple(float(number) for number in done.stdout.split()))
    for size, rows in seen.items():
        rates, processor, memory = (list(column) for column in zip(*rows, strict=True))
        figures.add(f"batches of {size}", rates, "images/s")
        figures.add(f"batches of {size}: processor", processor, "ms an image")
        figures.add(f"batches of {size}: memory of the process (USS)", memory, "MiB")
    print(figures.keep())


def measured(size: int) -> tuple[float, float, float]:
    """Images per second, milliseconds of processor an image, MiB."""
    classifier = OnnxClassifier(shipped_classifier_dir(), batch_size=size, threads=1)
    classifier.warm_up()
    shape = (size, *classifier.manifest.input_size, 3)
    batch = np.random.default_rng(0).random(shape, dtype=np.float32)
    calls = CALLERS * IMAGES // size
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(classifier.classify, [batch] * CALLERS))
        began, used = time.perf_counter(), time.process_time()
        list(pool.map(classifier.classify, [batch] * calls))
        seconds, processor = time.perf_counter() - began, time.process_time() - used
    memory = psutil.Process(os.getpid()).memory_full_info().uss
    return calls * size / seconds, processor / (calls * size) * 1000, memory / MEBIBYTE


if __name__ == "__main__":
    main()
