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
from worker.training.network import CROP_HEAD, HEAD, sizes_of_heads
from worker.training.plan import Schedule
from worker.training.shows import Batch, Made, Shows
from worker.training.store import Examples

log = logging.getLogger(__name__)

Model = Any  # Keras publishes no types.
Indices = NDArray[np.int64]
Advance = Callable[[int, int, str], None]

# The loss of the crop beside that of the class.
CROP_WEIGHT = 0.5
WEIGHT_DECAY = 1e-4
NOTHING_SAID = Made()
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
    made: Made = NOTHING_SAID,
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
        made: for the pictures that are made.
        threads: pictures varied at a time.
        advance: called with (steps done, steps in all, words) after each step.
    """
    shows = Shows(examples, train, sizes_of_heads(model), schedule.seed, made)
    steps = _steps(shows, schedule)
    key = _key(model, examples, train, schedule, made)
    model, first_epoch = _resume(folder, key) or (_compiled(model, schedule, steps), 0)
    total = schedule.epochs * steps
    with ThreadPoolExecutor(threads) as pool:
        for epoch in range(first_epoch, schedule.epochs):
            _begin_epoch(model, schedule.seed, epoch)
            losses = []
            for step, (pictures, labels) in enumerate(_ahead(pool, shows, schedule, epoch)):
                figures = model.train_on_batch(scaled(pictures, preprocessing), labels, return_dict=True)
                losses.append(float(figures["loss"]))
                if advance is not None:
                    words = f"epoch {epoch + 1} of {schedule.epochs}, loss {np.mean(losses[-50:]):.3f}"
                    advance(epoch * steps + step + 1, total, words)
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


def _steps(shows: Shows, schedule: Schedule) -> int:
    return max(1, len(shows) // schedule.batch_size)


def _ahead(
    pool: ThreadPoolExecutor, shows: Shows, schedule: Schedule, epoch: int, *, batches: int = 8
) -> Iterator[Batch]:
    """Yield the batches of an epoch in order; a few are prepared ahead of the step that needs them."""
    waiting: list[Future[Batch]] = []
    numbers = np.random.default_rng((schedule.seed, epoch)).permutation(len(shows))
    for batch in np.array_split(numbers, _steps(shows, schedule)):
        waiting.append(pool.submit(shows.batch, epoch, batch))
        if len(waiting) > batches:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _key(model: Model, examples: Examples, train: Indices, schedule: Schedule, made: Made) -> str:
    """Return the key of a training: it differs for another picture, class, split, backbone or schedule.

    A network that was kept from another training would be judged by pictures that it has learned.
    """
    told = [made.healthy, made.of_leaves]
    identity = [asdict(schedule), sizes_of_heads(model), told, [[str(f.path), *_stamp(f.path)] for f in examples.files]]
    digest = hashlib.sha256(json.dumps(identity).encode())
    # The heads begin by chance.
    for array in (examples.labels, examples.crops, train, *made.grounds, *_backbone_weights(model)):
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
