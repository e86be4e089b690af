"""The training loop: AdamW with a warm-up and a cosine, and the weights of the best epoch on held-out images."""

import logging
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.training.augment import augment
from worker.training.dataset import Examples

log = logging.getLogger(__name__)

LABEL_SMOOTHING = 0.05
WEIGHT_DECAY = 1e-3
WARM_UP_EPOCHS = 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: ``patience`` epochs without a better held-out loss end the training."""

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 2e-3
    patience: int = 10
    seed: int = 0


def fit(model: Any, train: Examples, held_out: Examples, preprocessing: Preprocessing, schedule: Schedule) -> None:  # noqa: ANN401  # Keras publishes no types
    """Train ``model`` in place; it ends with the weights of the epoch with the least held-out loss."""
    import keras
    from keras import losses, optimizers

    steps = math.ceil(len(train) / schedule.batch_size)
    warm_up = WARM_UP_EPOCHS * steps
    rate = optimizers.schedules.CosineDecay(
        schedule.learning_rate / 25,
        max(1, schedule.epochs * steps - warm_up),
        warmup_target=schedule.learning_rate,
        warmup_steps=warm_up,
    )
    model.compile(
        optimizer=optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        loss=losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING),
        metrics=["accuracy"],
    )
    rng = np.random.default_rng(schedule.seed)
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)
    held_pixels = scaled(held_out.pixels, preprocessing)
    best: tuple[float, Any] = (math.inf, model.get_weights())
    since_best = 0
    for epoch in range(schedule.epochs):
        order = rng.permutation(len(train))
        seen = 0.0
        for start in range(0, len(order), schedule.batch_size):
            chosen = order[start : start + schedule.batch_size]
            pixels = scaled(augment(train.pixels[chosen], rng), preprocessing)
            seen = model.train_on_batch(pixels, one_hot[train.labels[chosen]], return_dict=True)["accuracy"]
        loss, accuracy = _measure(keras, model, held_pixels, held_out.labels)
        log.info("epoch %d: train accuracy %.3f, held-out loss %.4f, accuracy %.4f", epoch + 1, seen, loss, accuracy)
        since_best += 1
        if loss < best[0]:
            best, since_best = (loss, model.get_weights()), 0
        if since_best >= schedule.patience:
            break
    model.set_weights(best[1])


def scaled(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """``(pixel - offset) * scale``, as serving computes it."""
    table = ((np.arange(256, dtype=np.float64) - preprocessing.offset) * preprocessing.scale).astype(np.float32)
    return table[pixels]


def probabilities(model: Any, pixels: NDArray[np.float32], *, batch_size: int = 64) -> NDArray[np.float32]:  # noqa: ANN401
    """(n, classes) of scaled pixels."""
    batches = (pixels[i : i + batch_size] for i in range(0, len(pixels), batch_size))
    return np.concatenate([np.asarray(model(batch, training=False)) for batch in batches])


def _measure(
    keras: Any,  # noqa: ANN401
    model: Any,  # noqa: ANN401
    pixels: NDArray[np.float32],
    labels: NDArray[np.int64],
) -> tuple[float, float]:
    found = probabilities(model, pixels)
    loss = np.mean(np.asarray(keras.losses.sparse_categorical_crossentropy(labels, found)))
    return float(loss), float(np.mean(found.argmax(axis=1) == labels))
