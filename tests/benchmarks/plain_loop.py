"""The floor: one plain process over local files, the same classifier and the same decoding, no queue, no database.

``python -m tests.benchmarks.plain_loop FOLDER [--threads N]`` prints images per second. It uses every processor for
decoding (threads, since Pillow lets go of the GIL), because a floor that leaves one idle would flatter the system.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

os.environ.setdefault("PILLOW_BLOCKS_MAX", "16")  # as the worker has it

import numpy as np

from shared.contracts.manifest import Runtime
from worker.inference.classifier import Classifier
from worker.inference.interpret import interpret
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.preprocess import preprocess
from worker.inference.runtime import default_batch, open_classifier

AHEAD = 4  # batches


def main() -> None:
    """Load and warm the model, then time the loop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir())
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--runtime", type=Runtime, default=Runtime.AUTO)
    asked = parser.parse_args()
    size = default_batch(asked.classifier, asked.runtime)  # what a worker takes
    classifier = open_classifier(asked.classifier, batch_size=size, runtime=asked.runtime)
    classifier.warm_up()
    files = sorted(asked.folder.iterdir())
    began = time.perf_counter()
    answers = sum(len(batch) for batch in _loop(classifier, files, asked.threads))
    seconds = time.perf_counter() - began
    print(f"{answers / seconds:.3f}")


def _loop(classifier: Classifier, files: list[Path], threads: int) -> Iterator[list[str]]:
    manifest = classifier.manifest

    def prepare(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return preprocess(file.read_bytes(), manifest.preprocessing, manifest.input_size)

    with ThreadPoolExecutor(threads) as pool:
        # Batches ahead: while the model works on one, the threads decode the next.
        size = classifier.batch_size
        ahead = [pool.submit(prepare, file) for file in files[: AHEAD * size]]
        rest = iter(files[AHEAD * size :])
        while ahead:
            batch, ahead = ahead[:size], ahead[size:]
            pixels = np.stack([one.result() for one in batch])
            ahead += [pool.submit(prepare, file) for file in islice(rest, size)]
            yield [interpret(row, manifest).label for row in classifier.classify(pixels).rows]


if __name__ == "__main__":
    main()
