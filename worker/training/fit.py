"""The training loop: AdamW along a cosine, on pictures that are varied at random, with its state kept on disk."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.training.augment import augment
from worker.training.dataset import NO_CROP
from worker.training.negatives import blurred, canopy, junk
from worker.training.network import CROP_HEAD, HEAD, REVIEW_CLASSES, sizes_of_heads
from worker.training.plan import Schedule
from worker.training.store import VARIANTS, Examples

log = logging.getLogger(__name__)

Model = Any  # Keras publishes no types.
Indices = NDArray[np.int64]
Batch = tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]
Advance = Callable[[int, int, str], None]

LABEL_SMOOTHING = 0.05
# The loss of the crop beside that of the class.
CROP_WEIGHT = 0.5
# How often a picture is shown goes with (pictures of its class and crop) to the power of this: 0 leaves large sets
# their weight, -1 gives each set the same.
BALANCE = -0.5
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
    jobs = _Jobs(examples, train, sizes_of_heads(model), schedule)
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
    weights, heads = {HEAD: 1.0, CROP_HEAD: CROP_WEIGHT}, sizes_of_heads(model)
    model.compile(
        optimizer=optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        loss={head: losses.CategoricalCrossentropy() for head in heads},
        loss_weights={head: weights[head] for head in heads},
    )
    return model


def _begin_epoch(model: Model, seed: int, epoch: int) -> None:
    """Seed the dropout of this epoch; Keras does not save its state with the network."""
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign([seed, epoch << 20])


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture as the network sees it: uint8, (height, width, 3), the index of its output, and its crop."""

    picture: NDArray[np.uint8]
    label: int
    crop: int = NO_CROP

    def target(self, head: str, size: int) -> NDArray[np.float32]:
        """Return the target of a head (size,): smoothed for the classes; for the crop, none where it is not known."""
        chosen, smoothing = (self.label, LABEL_SMOOTHING) if head == HEAD else (self.crop, 0.0)
        if chosen == NO_CROP:
            return np.zeros(size, np.float32)
        target = np.full(size, smoothing / size, np.float32)
        target[chosen] += 1 - smoothing
        return target


class _Jobs:
    """The batches of an epoch: as many pictures as there are, varied at random, and the generated ones."""

    def __init__(self, examples: Examples, train: Indices, sizes: Mapping[str, int], schedule: Schedule) -> None:
        self._examples = examples
        self._train = train
        self._sizes = sizes
        self._classes = self._sizes[HEAD] - len(REVIEW_CLASSES)
        self._schedule = schedule
        self._crops = examples.crops
        self._shares = shares_of_shows(examples.labels[train], self._crops[train])
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

    def make(self, epoch: int, batch: NDArray[np.int64]) -> Batch:
        """Return pictures (n, height, width, 3) and the targets of each head (n, its outputs), of job numbers."""
        made = [
            self._example(int(number), np.random.default_rng((self._schedule.seed, epoch, int(number))))
            for number in batch
        ]
        targets = {head: np.stack([one.target(head, size) for one in made]) for head, size in self._sizes.items()}
        return np.stack([one.picture for one in made]), targets

    def _example(self, number: int, rng: np.random.Generator) -> Shown:
        if number >= len(self._train):
            return self._generated(number - len(self._train), rng)
        chosen = self._train[rng.choice(len(self._train), p=self._shares)]
        picture = self._examples.pixels[chosen, int(rng.integers(VARIANTS))]
        label, crop = int(self._examples.labels[chosen]), int(self._crops[chosen])
        return Shown(augment(picture[None], rng)[0], label, crop)

    def _generated(self, number: int, rng: np.random.Generator) -> Shown:
        if number < self._junk:
            height, width = self._examples.pixels.shape[2:4]
            return Shown(junk((height, width), rng), self._classes + 1)
        chosen = self._train[rng.integers(len(self._train), size=CANOPY_LEAVES)]
        leaves = [self._examples.pixels[index, 0] for index in chosen]
        if number < self._junk + self._canopy:
            return Shown(augment(canopy(leaves, rng)[None], rng)[0], self._classes + 1)
        return Shown(augment(blurred(leaves[0], rng)[None], rng)[0], self._classes + 2)


def shares_of_shows(labels: Indices, crops: Indices) -> NDArray[np.float64]:
    """Return how often each picture is shown, (n,), as shares of all shows: pictures of small sets more often."""
    _, cells, counts = np.unique(np.stack([labels, crops]), axis=1, return_inverse=True, return_counts=True)
    weights = counts[cells.ravel()].astype(np.float64) ** BALANCE
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _ahead(pool: ThreadPoolExecutor, jobs: _Jobs, epoch: int, *, batches: int = 8) -> Iterator[Batch]:
    """Yield the batches of an epoch in order; a few are prepared ahead of the step that needs them."""
    waiting: list[Future[Batch]] = []
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
    identity = [asdict(schedule), sizes_of_heads(model), [[str(f.path), *_stamp(f.path)] for f in examples.files]]
    digest = hashlib.sha256(json.dumps(identity).encode())
    # The heads begin by chance.
    for array in (examples.labels, examples.crops, train, *_backbone_weights(model)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _backbone_weights(model: Model) -> list[NDArray[np.float32]]:
    heads = {HEAD, CROP_HEAD}
    return [weight for layer in model.layers if layer.name not in heads for weight in layer.get_weights()]


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
