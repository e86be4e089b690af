"""``python -m tests.hostile.subject``: the image pipeline of a worker, which reads one file after the other.

A path on a line of standard input (or several, with tabs between them), an answer on a line of standard output:
seconds on the clock and of processors (its children included), the memory at its peak above the idle process, and what
came of the pictures.
"""

import argparse
import json
import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from worker.inference.isolation import IsolatedPool, IsolationLimits
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.pipeline import Item, Pipeline
from worker.inference.runtime import open_classifier

SAMPLE_SECONDS = 0.01
PAGE = resource.getpagesize()


class Meter:
    """Memory of this process and its children, looked at a hundred times a second."""

    def __init__(self) -> None:
        self._idle = self._now()
        self._peak = 0
        self.own_seconds = 0.0
        self._lock = threading.Lock()
        threading.Thread(target=self._sample, daemon=True).start()

    def begin(self) -> None:
        """Forget the peak, also the kernel's own of this process (``proc(5)``, clear_refs)."""
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        with self._lock:
            self._peak = 0

    def peak(self) -> int:
        """Bytes above the idle process since ``begin``."""
        status = Path("/proc/self/status").read_text(encoding="ascii")
        high = 1024 * int(status.partition("VmHWM:")[2].split()[0])
        with self._lock:
            return max(self._peak, high) - self._idle

    def _sample(self) -> None:
        while True:
            now = self._now()
            with self._lock:
                self._peak = max(self._peak, now)
            self.own_seconds = time.thread_time()
            time.sleep(SAMPLE_SECONDS)

    def _now(self) -> int:
        total = 0
        for pid in (os.getpid(), *children()):
            with suppress(OSError, ValueError):  # It ended.
                total += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
        return total


def children() -> list[str]:
    """Process ids of the children; each stands with the thread that started it (``proc(5)``)."""
    found: list[str] = []
    for file in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # The thread ended.
            found += file.read_text(encoding="ascii").split()
    return found


def processor_seconds(meter: Meter) -> float:
    """Of this process, without its meter, and of its children."""
    who = (resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in who) - meter.own_seconds + sum(map(_times, children()))


def _times(pid: str) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Serve standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processor-seconds", type=float, default=IsolationLimits().processor_seconds)
    limits = IsolationLimits(processor_seconds=parser.parse_args().processor_seconds)
    classifier = open_classifier(shipped_classifier_dir(), batch_size=8, threads=1)
    classifier.warm_up()
    with Pipeline(
        classifier,
        batch_size=8,
        download_threads=2,
        decode_threads=2,
        bytes_in_flight=256 * 1024**2,
        isolated=IsolatedPool(limits=limits),
    ) as pipeline:
        meter = Meter()
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            files = [Path(path).read_bytes() for path in line.rstrip("\n").split("\t")]
            meter.begin()
            used, began = processor_seconds(meter), time.perf_counter()
            outcomes = read(pipeline, files)
            answer = {
                "seconds": time.perf_counter() - began,
                "processor_seconds": processor_seconds(meter) - used,
                "bytes": meter.peak(),
                "outcome": " ".join(f"{count} {code}" if count > 1 else code for code, count in outcomes.items()),
            }
            print(json.dumps(answer), flush=True)


def read(pipeline: Pipeline, files: Sequence[bytes]) -> Counter[str]:
    """Classify one file; or several, by two bulk runs and an urgent one at the same time. Returns what came of them."""

    def run(urgent: bool) -> list[str]:  # noqa: FBT001  # mapped over
        items = [Item(number, str(number), len(data)) for number, data in enumerate(files)]
        outcomes = pipeline.run(items, lambda item: files[item.seq], urgent=urgent)
        return [str(outcome.error.code) if outcome.error else "pixels" for outcome in outcomes]

    kinds = (False,) if len(files) == 1 else (False, False, True)
    with ThreadPoolExecutor(len(kinds)) as callers:
        return Counter(code for codes in callers.map(run, kinds) for code in codes)


if __name__ == "__main__":
    main()
