"""The price of why: predictions with a class activation map against those without, in processor time.

    python -m tests.benchmarks.explanation [--classifier FOLDER] [--rounds 9]

Both take turns in one process, batch by batch, so that what else the machine does meets both. With the map counts what
makes an explanation of it, too. Goal: at most 1.03.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.figures import Figures
from worker.inference.classifier import Classifier
from worker.inference.command.pictures import check_map
from worker.inference.explanation import explain
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.runtime import open_classifier

BATCHES = (1, 32)
GOAL = 1.03
CALLS = 6  # of each kind in a round


def processor_seconds(classifier: Classifier, batch: NDArray[np.float32], *, maps: bool) -> float:
    """Classify a batch, and make its explanations where there are maps; seconds of all processors."""
    begin = time.process_time()
    outputs = classifier.classify(batch, maps=maps)
    if outputs.maps is not None:
        best = outputs.rows[:, : len(classifier.manifest.classes)].argmax(axis=1)
        for evidence, label in zip(outputs.maps, best, strict=True):
            explain(evidence, int(label))
    return time.process_time() - begin


def main() -> None:
    """Measure each size of batch, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir())
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    figures = Figures("explanation", "predictions with and without maps, in turns")
    rng = np.random.default_rng(0)
    for size in BATCHES:
        classifier = open_classifier(options.classifier, batch_size=size)
        check_map(classifier.manifest)
        classifier.warm_up()
        batch = rng.random((size, *classifier.manifest.input_size, 3), dtype=np.float32) * 2 - 1
        ratios, milliseconds = [], []
        for _ in range(options.rounds):
            both = [(processor_seconds(classifier, batch, maps=False), processor_seconds(classifier, batch, maps=True))
                    for _ in range(CALLS)]  # fmt: skip
            without, explained = (sum(column) for column in zip(*both, strict=True))
            ratios.append(explained / without)
            milliseconds.append(1000 * without / CALLS / size)
        figures.add(f"batches of {size}: without, each image", milliseconds, "ms of processor")
        figures.add(f"batches of {size}: with / without", ratios, goal=f"≤ {GOAL}")
    print(figures.keep())


if __name__ == "__main__":
    main()
