"""What a prediction costs: processor time of a tile, and of a photograph of 12 megapixels in tiles of 224 pixels.

    python -m tests.benchmarks.price [--classifier FOLDER] [--before FOLDER] [--data FOLDER]... [--rounds 5]

The files of a classifier take turns in one process, with one thread for each call, and what is counted is processor
time, so that what else the machine does meets all of them. Beside the price stands what it changes: the tiles that get
another label, and, of the folders in ``--data`` (each holds one folder per class, of images that the training did not
see), what ``export --int8`` says. ``--before`` is another classifier whose ``model.onnx`` takes part.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import INT8_FILE, ONNX_FILE
from shared.tiles.grid import lay_grid
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from tests.benchmarks.tiles_loop import pipeline
from worker.inference.classifier import Classifier
from worker.inference.interpret import interpret
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import scaled_values
from worker.inference.processor import byte_products, instructions
from worker.inference.tiles.cutter import tile_pixels
from worker.inference.tiles.picture import upright_pixels
from worker.training.int8 import judge

EDGE = 224  # pixels of a tile
BATCH = 8
BATCHES = 8  # in a round
GOAL = 0.5
FLOATS, BYTES, BEFORE = "fp32", "int8", "fp32 before"
# In the order in which ONNX Runtime prefers them for floating point.
FLOAT_INSTRUCTIONS = ("avx512f", "avx2", "avx")

Batch = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds of processor in each round, by the name of the version."""

    tile: dict[str, list[float]]
    photograph: dict[str, list[float]]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir())
    parser.add_argument("--before", type=Path, help="another classifier folder, whose model.onnx takes part")
    parser.add_argument("--data", type=Path, action="append", default=[], help="one folder per class; may be repeated")
    parser.add_argument("--photographs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    versions = open_versions(asked.classifier, asked.before)
    figures = Figures("price", f"processor time of a prediction: {', '.join(versions)}")
    print(f"instructions: {named_instructions()}; load average {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    with tempfile.TemporaryDirectory() as made:
        print(write_set("12mp", Path(made), asked.photographs))
        files = sorted(Path(made).iterdir())
        batches = list(islice(cut(files, versions[FLOATS]), BATCHES))
        add_costs(figures, measured(versions, batches, files, asked.rounds))
        if BYTES in versions:
            add_agreement(figures, versions, cut(files, versions[FLOATS]))
    if BYTES in versions and asked.data:
        print(f"of other images: {judge(asked.classifier, asked.data)}")
    print(figures.keep())


def open_versions(folder: Path, before: Path | None) -> dict[str, Classifier]:
    """Open the files of a classifier that there are, one thread for each call, and warm them up."""
    names = {FLOATS: ONNX_FILE, BYTES: INT8_FILE}
    there = read_manifest(folder).model_files
    versions: dict[str, Classifier] = {
        name: OnnxClassifier(folder, batch_size=BATCH, threads=1, file=file)
        for name, file in names.items()
        if file in there
    }
    if before is not None:
        versions[BEFORE] = OnnxClassifier(before, batch_size=BATCH, threads=1)
    for classifier in versions.values():
        classifier.warm_up()
    return versions


def named_instructions() -> str:
    """Name what ONNX Runtime multiplies with on this processor, in floating point and in bytes."""
    flags = instructions()
    floats = next((name for name in FLOAT_INSTRUCTIONS if name in flags), "not known")
    return f"{floats} in floating point, {byte_products() or 'none without overflow'} in bytes"


def cut(files: Sequence[Path], classifier: Classifier) -> Iterator[Batch]:
    """Yield the tiles of photographs in batches, ready for the model."""
    manifest = classifier.manifest
    for file in files:
        pixels = upright_pixels(file.read_bytes())
        grid = lay_grid(pixels.shape[1], pixels.shape[0], EDGE)
        tiles = (tile_pixels(pixels, grid.box(number), manifest) for number in range(grid.tiles))
        while batch := [scaled_values(tile, manifest.preprocessing) for tile in islice(tiles, BATCH)]:
            yield np.stack(batch)


def measured(versions: dict[str, Classifier], batches: Sequence[Batch], files: Sequence[Path], rounds: int) -> Costs:
    """Measure every version in every round: prediction alone, then photographs from file to answer."""
    costs = Costs({name: [] for name in versions}, {name: [] for name in versions})
    tiles = sum(map(len, batches))
    for _ in range(rounds):
        for name, classifier in versions.items():
            costs.tile[name].append(processor_ms(partial(classify_all, classifier, batches)) / tiles)
        for name, classifier in versions.items():
            whole = processor_ms(partial(pipeline, classifier, [files], EDGE))
            costs.photograph[name].append(whole / len(files))
    return costs


def classify_all(classifier: Classifier, batches: Sequence[Batch]) -> None:
    """Classify prepared tiles."""
    for batch in batches:
        classifier.classify(batch)


def processor_ms(call: Callable[[], object]) -> float:
    """Return the processor time of all threads of this process during a call, in milliseconds."""
    began = time.process_time()
    call()
    return (time.process_time() - began) * 1000


def add_costs(figures: Figures, costs: Costs) -> None:
    """Print and remember what each version costs, and the ratios to floating point in the same round."""
    for what, by_version in (("a tile, prediction alone", costs.tile), ("a photograph of 12 MP", costs.photograph)):
        for name, values in by_version.items():
            figures.add(f"{what}: {name}", values, "ms of processor")
        for other in (FLOATS, BEFORE):
            if BYTES in by_version and other in by_version:
                ratios = [ours / theirs for ours, theirs in zip(by_version[BYTES], by_version[other], strict=True)]
                figures.add(f"{what}: {BYTES} / {other}", ratios, goal=f"≤ {GOAL}")


def add_agreement(figures: Figures, versions: dict[str, Classifier], batches: Iterator[Batch]) -> None:
    """Print and remember how many tiles of the photographs get the same answer: the same label, where it counts."""
    labels, reviews = [], []
    for batch in batches:
        rows = [versions[name].classify(batch).rows for name in (FLOATS, BYTES)]
        for pair in zip(*rows, strict=True):
            floats, in_bytes = (interpret(row, versions[FLOATS].manifest) for row in pair)
            if not floats.needs_review:
                labels.append(floats.label == in_bytes.label)
            reviews.append(floats.needs_review == in_bytes.needs_review)
    if labels:
        figures.add(f"same label, of {len(labels)} tiles that need no review", float(np.mean(labels)))
    figures.add(f"same decision on a review, of {len(reviews)} tiles", float(np.mean(reviews)))


if __name__ == "__main__":
    main()
