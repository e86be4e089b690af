"""``python -m tests.benchmarks.outputs``: what a map costs on ONNX Runtime, asked for, and not asked for.

Three in turns, one thread: the classifier without a map in its file, with one that nobody asks for, with one that is
asked for. ``--classifier`` names a folder whose manifest has a map; without it, the shipped features with new heads.
"""

import argparse
import itertools
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx

from shared.contracts.manifest import MODEL_FILE, ONNX_FILE
from shared.contracts.outputs import ModelOutputs
from tests.benchmarks.figures import Figures
from worker.inference.keras_classifier import load_model
from worker.inference.manifest import file_sha256, read_manifest, shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier
from worker.training.backbone import open_backbone
from worker.training.export import write_keras, write_onnx
from worker.training.network import HEAD, training_network
from worker.training.onnx_graph import put_in_order
from worker.training.review import Subspace
from worker.training.serving import named_outputs, serving_model
from worker.training.write import write_classifier, write_manifest

BATCHES = (1, 8)
GOAL = 0.03


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", type=Path)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    figures = Figures("outputs", "ONNX Runtime, one thread: milliseconds of processor for an image")
    with tempfile.TemporaryDirectory() as made:
        whole = asked.classifier or _named(Path(made) / "named")
        without = _without_map(whole, Path(made) / "without")
        for size in BATCHES:
            classifiers = {
                "no map in the file": (OnnxClassifier(without, batch_size=size, threads=1), False),
                "a map that nobody asks for": (OnnxClassifier(whole, batch_size=size, threads=1), False),
                "a map that is asked for": (OnnxClassifier(whole, batch_size=size, threads=1), True),
            }
            _measure(figures, size, classifiers, asked.rounds)
    print(figures.keep())


def _measure(figures: Figures, size: int, classifiers: Mapping[str, tuple[OnnxClassifier, bool]], rounds: int) -> None:
    first = next(iter(classifiers.values()))[0]
    batch = np.random.default_rng(0).random((size, *first.manifest.input_size, 3), dtype=np.float32)
    taken: dict[str, list[float]] = {name: [] for name in classifiers}
    for number in range(rounds + 2):
        for name, (classifier, maps) in classifiers.items():
            began = time.process_time()
            classifier.classify(batch, maps=maps)
            if number >= 2:  # the first calls are slower
                taken[name].append((time.process_time() - began) / size * 1000)
    plain = taken["no map in the file"]
    for name, values in taken.items():
        figures.add(f"batch of {size}, {name}", values, "ms")
    for name, values in itertools.islice(taken.items(), 1, None):
        more = median(value / other for value, other in zip(values, plain, strict=True)) - 1
        figures.add(f"batch of {size}, {name}: more than none", more, goal=f"≤ {GOAL}")


def _named(out: Path) -> Path:
    """Give the shipped features and heads outputs with names."""
    shipped = shipped_classifier_dir()
    manifest, old = read_manifest(shipped), load_model(shipped / MODEL_FILE)
    backbone = open_backbone(shipped / MODEL_FILE)
    network = training_network(backbone, len(manifest.classes), trainable_from=backbone.layers[-1].name)
    network.get_layer(HEAD).set_weights(old.get_layer(HEAD).get_weights())
    subspace = Subspace(old.get_layer("centre").get_weights()[0], old.get_layer("subspace").get_weights()[0])
    serving = serving_model(network, len(manifest.classes), temperature=1.0, subspace=subspace)
    fields: dict[str, Any] = manifest.model_dump(exclude={"schema_version", "sha256", "onnx_sha256"})
    fields |= {"schema_version": 2, "outputs": named_outputs(serving)}
    write_classifier(out, lambda path: write_keras(serving, path), fields)
    write_onnx(load_model(out / MODEL_FILE), out / ONNX_FILE)
    return _with_hash(out)


def _without_map(folder: Path, out: Path) -> Path:
    """Copy a classifier with an ONNX file that has everything but the map."""
    shutil.copytree(folder, out)
    named = read_manifest(folder).outputs
    if named is None or named.map is None:
        raise SystemExit(f"{folder} gives no map; name another --classifier.")
    model = onnx.load(out / ONNX_FILE)
    kept = [output for output in model.graph.output if output.name != named.map]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    put_in_order(model.graph, {})
    (out / ONNX_FILE).write_bytes(model.SerializeToString())
    return _with_hash(out, named.model_copy(update={"map": None, "map_size": None}))


def _with_hash(folder: Path, outputs: ModelOutputs | None = None) -> Path:
    changes: dict[str, Any] = {"onnx_sha256": file_sha256(folder / ONNX_FILE)}
    write_manifest(folder, read_manifest(folder).model_copy(update=changes | ({"outputs": outputs} if outputs else {})))
    return folder


if __name__ == "__main__":
    main()
