"""From pictures to everything that a manifest says of a network: its weights, its temperature, its limits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing, ReviewOutput
from worker.training.calibration import fit_temperature, softmax
from worker.training.errors import TrainingError
from worker.training.fit import Advance, Indices, fit, scaled
from worker.training.network import HEAD, training_network
from worker.training.plan import Schedule
from worker.training.review import (
    UNFAMILIAR,
    Subspace,
    fit_subspace,
    odds,
    review_outputs,
    review_threshold,
)
from worker.training.serving import feature_model, round_weights, serving_model
from worker.training.store import Examples

Model = Any  # Keras publishes no types.

BATCH = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network makes of pictures: ``features`` (n, features) and ``logits`` (n, classes + 3)."""

    features: NDArray[np.float32]
    logits: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network, and its temperature and limits, chosen on pictures that it has not learned."""

    network: Model
    classes: int
    temperature: float
    subspace: Subspace
    review: tuple[ReviewOutput, ...]
    threshold: float

    def outputs(self, seen: Seen) -> NDArray[np.float64]:
        """(n, classes + 4), as the serving model gives them."""
        return _outputs(seen, self.classes, self.temperature, self.subspace)

    def serving_model(self) -> Model:
        """The model to save."""
        return serving_model(self.network, self.classes, temperature=self.temperature, subspace=self.subspace)

    def look(self, examples: Examples, chosen: Indices, preprocessing: Preprocessing) -> Seen:
        """The pictures at these indices, as they are, through the network."""
        return look(self.network, examples, chosen, preprocessing)


def learn(  # noqa: PLR0913  # the pictures, which to learn from and which to judge by, and how
    backbone: Model,
    examples: Examples,
    train: Indices,
    held_out: Indices,
    classes: int,
    preprocessing: Preprocessing,
    schedule: Schedule,
    *,
    folder: Path,
    threads: int = 2,
    advance: Advance | None = None,
) -> Learned:
    """Train on ``train``; choose temperature and limits by ``held_out``.

    Args:
        backbone: from ``open_backbone``; it is changed.
        examples: all pictures; labels below ``classes`` are classes, ``classes`` is another symptom, then no leaf.
        train: indices to learn from.
        held_out: indices to judge by, of which some must be of the classes.
        classes: how many there are.
        preprocessing: as the manifest will say.
        schedule: how long and how fast.
        folder: for the state of the training, so that it resumes.
        threads: pictures varied at a time.
        advance: told of each step.
    """
    import keras

    keras.utils.set_random_seed(schedule.seed)
    network = training_network(backbone, classes, trainable_from=schedule.trainable_from)
    network = fit(network, examples, train, preprocessing, schedule, folder=folder, threads=threads, advance=advance)
    round_weights(network)
    known = train[examples.labels[train] < classes]
    subspace = fit_subspace(look(network, examples, known, preprocessing).features)
    judged = held_out[examples.labels[held_out] < classes]
    seen, labels = look(network, examples, judged, preprocessing), examples.labels[judged]
    temperature = fit_temperature(seen.logits[:, :classes], labels)
    outputs = _outputs(seen, classes, temperature, subspace)
    right = outputs[:, :classes].argmax(axis=1) == labels
    check_learned(seen.logits, right)
    confidence = outputs[:, :classes].max(axis=1)
    values = _review_values(seen, classes, subspace)
    return Learned(
        network=network,
        classes=classes,
        temperature=temperature,
        subspace=subspace,
        review=review_outputs({name: column[right] for name, column in values.items()}),
        threshold=review_threshold(confidence[right]),
    )


def check_learned(logits: NDArray[np.float32], right: NDArray[np.bool_]) -> None:
    """Return when limits can be chosen: they are those of right answers.

    Raises:
        TrainingError: no held-out image was answered rightly, or the network gives no numbers any more.
    """
    if not np.isfinite(logits).all():
        raise TrainingError("The training went astray: the network gives no finite numbers. Lower --learning-rate.")
    if not right.any():
        raise TrainingError(
            f"Not one of the {len(right)} held-out images was recognised, so no limits can be chosen. Train for longer "
            "(--epochs), give more images, and look whether folders are exchanged."
        )


def look(network: Model, examples: Examples, chosen: Indices, preprocessing: Preprocessing) -> Seen:
    """Pictures, as they are, to features and logits."""
    kernel, bias = (np.asarray(w) for w in network.get_layer(HEAD).get_weights())
    features_of = feature_model(network)
    rows = [
        np.asarray(features_of(scaled(examples.pixels[chosen[i : i + BATCH], 0], preprocessing), training=False))
        for i in range(0, len(chosen), BATCH)
    ]
    features = np.concatenate(rows)
    return Seen(features, (features @ kernel + bias).astype(np.float32))


def _review_values(seen: Seen, classes: int, subspace: Subspace) -> dict[str, NDArray[np.float64]]:
    return {**odds(softmax(seen.logits), classes), UNFAMILIAR: subspace.unexplained(seen.features)}


def _outputs(seen: Seen, classes: int, temperature: float, subspace: Subspace) -> NDArray[np.float64]:
    answers = softmax(seen.logits[:, :classes] / temperature)
    return np.column_stack([answers, *_review_values(seen, classes, subspace).values()])
