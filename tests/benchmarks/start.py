"""How long a runtime takes until the classifier is warm, and the memory it then holds, each in a process of its own.

python -m tests.benchmarks.start [--rounds 3]
"""

import argparse
import statistics
import subprocess
import sys

from shared.contracts.manifest import Runtime
from tests.benchmarks.report import heading

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
    """Print a row for each runtime; they take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    heading("from nothing to a warm classifier, batch 32")
    seen: dict[Runtime, list[list[float]]] = {Runtime.TENSORFLOW: [], Runtime.ONNX: []}
    for _ in range(rounds):
        for runtime, rows in seen.items():
            command = [sys.executable, "-c", CHILD.format(runtime=runtime.value)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append([float(number) for number in done.stdout.split()])
    print("| runtime | seconds until warm | memory, MiB |\n|---|---|---|")
    for runtime, rows in seen.items():
        seconds, memory = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {runtime} | {seconds:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
