"""The training loop: AdamW along a cosine, on pictures that are varied at random, with its state kept on disk."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.training.augment import augment
from worker.training.negatives import blurred, canopy, junk
from worker.training.network import REVIEW_CLASSES
from worker.training.plan import Schedule
from worker.training.store import VARIANTS, Examples

log = logging.getLogger(__name__)

Model = Any  # Keras publishes no types.
Indices = NDArray[np.int64]
Advance = Callable[[int, int, str], None]

LABEL_SMOOTHING = 0.05
WEIGHT_DECAY = 1e-4
# Made by chance in each epoch, as shares of the pictures of the training.
JUNK_SHARE = 0.05
CANOPY_SHARE = 0.03
CANOPY_LEAVES = 4
BLURRED_SHARE = 0.08
STATE_FILE = "state.keras"
PROGRESS_FILE = "state.json"


def fit(  # noqa: PLR0913  # the network, what it learns from, and where its state is kept
    model: Model,
    examples: Examples,
    train: Indices,
    preprocessing: Preprocessing,
    schedule: Schedule,
    *,
    folder: Path,
    threads: int = 2,
    advance: Advance | None = None,
) -> Model:
    """Train ``model``; return it, or its continuation if ``folder`` holds the state of this very training.

    The same seed gives the same order and the same pictures, also after a restart at the end of an epoch.

    Args:
        model: from ``training_network``.
        examples: all pictures.
        train: indices of those to learn from.
        preprocessing: how pixels are scaled.
        schedule: epochs, batch and learning rate.
        folder: for the state after each epoch.
        threads: pictures varied at a time.
        advance: called with (steps done, steps in all, words) after each step.
    """
    jobs = _Jobs(examples, train, model.output_shape[-1] - len(REVIEW_CLASSES), schedule)
    key = _key(model, examples, train, schedule)
    model, first_epoch = _resume(folder, key) or (_compiled(model, schedule, len(jobs)), 0)
    total = schedule.epochs * len(jobs)
    with ThreadPoolExecutor(threads) as pool:
        for epoch in range(first_epoch, schedule.epochs):
            _begin_epoch(model, schedule.seed, epoch)
            losses = []
            for step, (pictures, labels) in enumerate(_ahead(pool, jobs, epoch)):
                figures = model.train_on_batch(scaled(pictures, preprocessing), labels, return_dict=True)
                losses.append(float(figures["loss"]))
                if advance is not None:
                    words = f"epoch {epoch + 1} of {schedule.epochs}, loss {np.mean(losses[-50:]):.3f}"
                    advance(epoch * len(jobs) + step + 1, total, words)
            log.info("epoch %d of %d: loss %.4f", epoch + 1, schedule.epochs, np.mean(losses))
            _keep(folder, model, key, epoch + 1)
    return model


def scaled(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Return ``(pixel - offset) * scale``, as serving computes it."""
    table = ((np.arange(256, dtype=np.float64) - preprocessing.offset) * preprocessing.scale).astype(np.float32)
    return table[pixels]


def _compiled(model: Model, schedule: Schedule, steps: int) -> Model:
    from keras import losses, optimizers

    rate = optimizers.schedules.CosineDecay(schedule.learning_rate, schedule.epochs * steps)
    model.compile(
        optimizer=optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        loss=losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING),
    )
    return model


def _begin_epoch(model: Model, seed: int, epoch: int) -> None:
    """Seed the dropout of this epoch; Keras does not save its state with the network."""
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign([seed, epoch << 20])


class _Jobs:
    """The batches of an epoch: every picture once, varied at random, and the generated ones."""

    def __init__(self, examples: Examples, train: Indices, classes: int, schedule: Schedule) -> None:
        self._examples = examples
        self._train = train
        self._classes = classes
        self._outputs = classes + len(REVIEW_CLASSES)
        self._schedule = schedule
        self._junk = round(JUNK_SHARE * len(train))
        self._canopy = round(CANOPY_SHARE * len(train))
        self._all = len(train) + self._junk + self._canopy + round(BLURRED_SHARE * len(train))

    def __len__(self) -> int:
        return max(1, self._all // self._schedule.batch_size)

    def order(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return batches of job numbers: below ``len(train)`` a picture, then junk, canopies, blurred ones."""
        numbers = np.random.default_rng((self._schedule.seed, epoch)).permutation(self._all)
        size = self._schedule.batch_size
        return [numbers[i * size : (i + 1) * size] for i in range(len(self))]

    def make(self, epoch: int, batch: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return pictures (n, height, width, 3) and one-hot labels of a batch of job numbers."""
        examples = [
            self._example(int(number), np.random.default_rng((self._schedule.seed, epoch, int(number))))
            for number in batch
        ]
        labels = np.eye(self._outputs, dtype=np.float32)[[label for _, label in examples]]
        return np.stack([picture for picture, _ in examples]), labels

    def _example(self, number: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        if number >= len(self._train):
            return self._generated(number - len(self._train), rng)
        chosen = self._train[number]
        picture = self._examples.pixels[chosen, int(rng.integers(VARIANTS))]
        return augment(picture[None], rng)[0], int(self._examples.labels[chosen])

    def _generated(self, number: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        if number < self._junk:
            height, width = self._examples.pixels.shape[2:4]
            return junk((height, width), rng), self._classes + 1
        chosen = self._train[rng.integers(len(self._train), size=CANOPY_LEAVES)]
        leaves = [self._examples.pixels[index, 0] for index in chosen]
        if number < self._junk + self._canopy:
            return augment(canopy(leaves, rng)[None], rng)[0], self._classes + 1
        return augment(blurred(leaves[0], rng)[None], rng)[0], self._classes + 2


def _ahead(
    pool: ThreadPoolExecutor, jobs: _Jobs, epoch: int, *, batches: int = 8
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield the batches of an epoch in order; a few are prepared ahead of the step that needs them."""
    waiting: list[Future[tuple[NDArray[np.uint8], NDArray[np.float32]]]] = []
    for batch in jobs.order(epoch):
        waiting.append(pool.submit(jobs.make, epoch, batch))
        if len(waiting) > batches:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _key(model: Model, examples: Examples, train: Indices, schedule: Schedule) -> str:
    """Return the key of a training: it differs for another picture, class, split, backbone or schedule.

    A network that was kept from another training would be judged by pictures that it has learned.
    """
    identity = [asdict(schedule), model.output_shape, [[str(f.path), *_stamp(f.path)] for f in examples.files]]
    digest = hashlib.sha256(json.dumps(identity).encode())
    # The head comes last, and begins by chance.
    for array in (examples.labels, train, *model.get_weights()[:-2]):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _resume(folder: Path, key: str) -> tuple[Model, int] | None:
    """Return the network and its finished epochs if the folder holds a state of this training."""
    import keras

    try:
        progress = json.loads((folder / PROGRESS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if progress.get("key") != key:
        return None
    log.info("going on after epoch %d", progress["epochs"])
    return keras.saving.load_model(folder / STATE_FILE, safe_mode=True), int(progress["epochs"])


def _keep(folder: Path, model: Model, key: str, epochs: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"made-{STATE_FILE}"
    model.save(draft)
    draft.replace(folder / STATE_FILE)
    text = json.dumps({"key": key, "epochs": epochs})
    (folder / PROGRESS_FILE).write_text(text, encoding="utf-8")
