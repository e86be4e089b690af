"""Classifying alone, TensorFlow against ONNX Runtime, with prepared pixels: images a second and their ratio.

    python -m tests.benchmarks.runtimes [--classifier FOLDER] [--rounds 5]

Both runtimes may use every processor. They take turns, so that what else the machine does meets both.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.figures import Figures
from worker.inference.classifier import Classifier
from worker.inference.keras_classifier import KerasClassifier
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier

BATCHES = (1, 8, 32)
SECONDS = 2.0


def images_per_second(classifier: Classifier, batch: NDArray[np.float32]) -> float:
    """Classify the same batch for two seconds."""
    classifier.classify(batch)
    begin = time.perf_counter()
    images = 0
    while (elapsed := time.perf_counter() - begin) < SECONDS:
        classifier.classify(batch)
        images += len(batch)
    return images / elapsed


def main() -> None:
    """Measure each size of batch, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir())
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    figures = Figures("runtimes", "classify only: TensorFlow against ONNX Runtime")
    rng = np.random.default_rng(0)
    for size in BATCHES:
        runtimes: tuple[Classifier, Classifier] = (
            KerasClassifier(options.classifier, batch_size=size),
            OnnxClassifier(options.classifier, batch_size=size),
        )
        height, width = runtimes[0].manifest.input_size
        batch = rng.random((size, height, width, 3), dtype=np.float32) * 2 - 1
        difference = float(np.abs(runtimes[0].classify(batch).rows - runtimes[1].classify(batch).rows).max())
        speeds = [[images_per_second(runtime, batch) for runtime in runtimes] for _ in range(options.rounds)]
        slow, fast = (list(column) for column in zip(*speeds, strict=True))
        figures.add(f"batches of {size}: TensorFlow", slow, "images/s")
        figures.add(f"batches of {size}: ONNX Runtime", fast, "images/s")
        figures.add(f"batches of {size}: ONNX Runtime / TensorFlow", median(fast) / median(slow))
        figures.add(f"batches of {size}: largest difference of an answer", difference)
    print(figures.keep())


if __name__ == "__main__":
    main()
