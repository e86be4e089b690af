"""``python -m tests.benchmarks.accelerator``: what one machine decodes and classifies a second, part by part.

Decoding by threads, ONNX Runtime by threads, and, where Keras finds an accelerator, the model there by batch size: each
alone, so that a plan knows which of them a worker waits for. Keras runs on what its own variable KERAS_BACKEND names
(TensorFlow, or JAX where only that is built for the accelerator); answers are compared with those of ONNX Runtime.
"""

import argparse
import importlib
import io
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.local.synthetic import render
from shared.contracts.manifest import MODEL_FILE
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import FULL_SIZE, KINDS, SMALL
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import preprocess

ROUNDS = 3
SECONDS = 2.0
ONNX_BATCH = 32

Batch = NDArray[np.float32]
Call = Callable[[Batch], Batch]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--no-keras", action="store_true", help="only decoding and ONNX Runtime")
    asked = parser.parse_args()
    figures = Figures("accelerator", "one machine, part by part: decoding, ONNX Runtime, Keras on its accelerator")
    decoding(figures)
    onnx = on_the_cpu(figures)
    if not asked.no_keras:
        on_the_accelerator(figures, asked.batches, onnx)
    print(figures.keep())


def decoding(figures: Figures) -> None:
    """Files to the input of the model, with one thread and with all processors."""
    manifest = read_manifest(shipped_classifier_dir())
    for kind, size in (("256 px", SMALL), ("10.7 megapixels", FULL_SIZE)):
        files = [_jpeg(size, number) for number in range(8)]

        def one(number: int, files: list[bytes] = files) -> None:
            preprocess(files[number % len(files)], manifest.preprocessing, manifest.input_size)

        for threads in (1, _processors()):
            figures.add(f"decoding {kind}, {threads} threads", list(_threaded(one, threads)), "images/s")


def on_the_cpu(figures: Figures) -> Call:
    """ONNX Runtime with one thread, half and all of the processors; the last one is returned."""
    for threads in sorted({1, max(1, _processors() // 2), _processors()}):
        classifier = OnnxClassifier(shipped_classifier_dir(), batch_size=ONNX_BATCH, threads=threads)
        rates = list(_rates(_rows_of(classifier), _noise(ONNX_BATCH)))
        figures.add(f"ONNX Runtime, {threads} threads, batch {ONNX_BATCH}", rates, "images/s")
    return _rows_of(classifier)


def _rows_of(classifier: OnnxClassifier) -> Call:
    return lambda batch: classifier.classify(batch).rows


def on_the_accelerator(figures: Figures, batches: list[int], onnx: Call) -> None:
    """The same model in Keras, pixels going there and answers coming back included."""
    import keras

    model = keras.saving.load_model(shipped_classifier_dir() / MODEL_FILE, compile=False, safe_mode=True)
    call = _compiled(model, keras.backend.backend())
    where = f"Keras {keras.__version__} on {keras.backend.backend()}"
    for size in batches:
        figures.add(f"{where}, batch {size}", list(_rates(call, _noise(size))), "images/s")
    pictures = _pictures(ONNX_BATCH)
    figures.add(f"{where}: largest difference from ONNX Runtime", float(np.abs(call(pictures) - onnx(pictures)).max()))


def _compiled(model: Any, backend: str) -> Call:  # noqa: ANN401  # Keras publishes no types
    def forward(batch: Any) -> Any:  # noqa: ANN401
        return model(batch, training=False)

    if backend == "jax":
        jax = importlib.import_module("jax")  # not among our packages
        jitted = jax.jit(forward)
        print("devices:", jax.devices())
        return lambda batch: np.asarray(jitted(batch))
    import tensorflow as tf

    traced = tf.function(forward, autograph=False)
    print("devices:", tf.config.list_physical_devices())
    return lambda batch: np.asarray(traced(tf.constant(batch)))


def _rates(call: Call, batch: Batch) -> Iterator[float]:
    """Images per second of each round; the first calls, which compile, are not counted."""
    call(batch)
    call(batch)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        calls = 0
        while (seconds := time.perf_counter() - began) < SECONDS:
            call(batch)
            calls += 1
        yield calls * len(batch) / seconds


def _threaded(work: Callable[[int], None], threads: int) -> Iterator[float]:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
        began = time.perf_counter()
        list(pool.map(work, range(threads)))
        number = max(threads, int(threads * SECONDS / max(time.perf_counter() - began, 1e-3)))
        for _ in range(ROUNDS):
            began = time.perf_counter()
            list(pool.map(work, range(number)))
            yield number / (time.perf_counter() - began)


def _noise(size: int) -> Batch:
    height, width = read_manifest(shipped_classifier_dir()).input_size
    return np.random.default_rng(size).random((size, height, width, 3), dtype=np.float32)


def _pictures(number: int) -> Batch:
    manifest = read_manifest(shipped_classifier_dir())
    files = [_jpeg(SMALL, n) for n in range(number)]
    return np.stack([preprocess(file, manifest.preprocessing, manifest.input_size) for file in files])


def _jpeg(size: tuple[int, int], seed: int) -> bytes:
    stream = io.BytesIO()
    render(KINDS[seed % len(KINDS)], size, seed=seed).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _processors() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
