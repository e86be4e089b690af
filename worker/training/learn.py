"""From pictures to a trained network with its temperature and limits, as the manifest states them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing, ReviewOutput, ReviewReason
from worker.training.calibration import fit_temperature, softmax
from worker.training.dataset import NO_CROP
from worker.training.errors import TrainingError
from worker.training.fit import NOTHING_SAID, Advance, Indices, fit, scaled
from worker.training.network import CROP_HEAD, HEAD, sizes_of_heads, training_network
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
from worker.training.shows import Made
from worker.training.store import Examples

Model = Any  # Keras publishes no types.

BATCH = 64


@dataclass(frozen=True, slots=True)
class Activations:
    """The network's numbers for pictures.

    ``features`` (n, features), ``logits`` (n, classes + 3), and ``crops`` (n, crops) probabilities; none where the
    network does not name the crop.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    crops: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network with its temperature and limits, chosen on held-out pictures."""

    network: Model
    classes: int
    temperature: float
    subspace: Subspace
    review: tuple[ReviewOutput, ...]
    threshold: float

    def outputs(self, activations: Activations) -> NDArray[np.float64]:
        """Compute outputs (n, classes + 4), as the serving model does."""
        return _outputs(activations, self.classes, self.temperature, self.subspace)

    def serving_model(self) -> Model:
        """Build the model to save."""
        return serving_model(self.network, self.classes, temperature=self.temperature, subspace=self.subspace)

    def activate(self, examples: Examples, chosen: Indices, preprocessing: Preprocessing) -> Activations:
        """Run the network on the pictures at these indices, without variation."""
        return activate(self.network, examples, chosen, preprocessing)


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
    made: Made = NOTHING_SAID,
    threads: int = 2,
    advance: Advance | None = None,
) -> Learned:
    """Train on ``train``; choose temperature and limits by ``held_out``.

    Args:
        backbone: from ``open_backbone``; it is changed.
        examples: all pictures; labels below ``classes`` are classes, ``classes`` is another symptom, then no leaf.
        train: indices to learn from.
        held_out: indices to judge by, of which some must be of the classes.
        classes: number of classes.
        preprocessing: as the manifest will say.
        schedule: epochs, batch and learning rate.
        folder: for the state of the training, so that it resumes.
        made: for the pictures that are made.
        threads: pictures varied at a time.
        advance: called after each step.
    """
    import keras

    keras.utils.set_random_seed(schedule.seed)
    crops = int(examples.crops.max(initial=NO_CROP)) + 1
    network = training_network(backbone, classes, crops=crops, trainable_from=schedule.trainable_from)
    network = fit(
        network,
        examples,
        train,
        preprocessing,
        schedule,
        folder=folder,
        made=made,
        threads=threads,
        advance=advance,
    )
    round_weights(network)
    known = train[examples.labels[train] < classes]
    subspace = fit_subspace(activate(network, examples, known, preprocessing).features)
    judged = held_out[examples.labels[held_out] < classes]
    activations, labels = activate(network, examples, judged, preprocessing), examples.labels[judged]
    temperature = fit_temperature(activations.logits[:, :classes], labels)
    outputs = _outputs(activations, classes, temperature, subspace)
    right = outputs[:, :classes].argmax(axis=1) == labels
    check_learned(activations.logits, right)
    confidence = outputs[:, :classes].max(axis=1)
    values = _review_values(activations, classes, subspace)
    return Learned(
        network=network,
        classes=classes,
        temperature=temperature,
        subspace=subspace,
        review=review_outputs({name: column[right] for name, column in values.items()}),
        threshold=review_threshold(confidence[right]),
    )


def check_learned(logits: NDArray[np.float32], right: NDArray[np.bool_]) -> None:
    """Check that limits can be chosen, which needs right answers.

    Raises:
        TrainingError: no held-out image was recognised, or the network gives NaN or infinity.
    """
    if not np.isfinite(logits).all():
        raise TrainingError("The training went astray: the network gives no finite numbers. Lower --learning-rate.")
    if not right.any():
        raise TrainingError(
            f"Not one of the {len(right)} held-out images was recognised, so no limits can be chosen. Train for longer "
            "(--epochs), give more images, and look whether folders are exchanged."
        )


def activate(network: Model, examples: Examples, chosen: Indices, preprocessing: Preprocessing) -> Activations:
    """Run a network on pictures without variation, up to features and logits."""
    features_of = feature_model(network)
    rows = [
        np.asarray(features_of(scaled(examples.pixels[chosen[i : i + BATCH], 0], preprocessing), training=False))
        for i in range(0, len(chosen), BATCH)
    ]
    features = np.concatenate(rows)
    logits = {name: _logits(features, network.get_layer(name)) for name in sizes_of_heads(network)}
    crops = softmax(logits[CROP_HEAD]) if CROP_HEAD in logits else None
    return Activations(features, logits[HEAD], crops)


def _logits(features: NDArray[np.float32], head: Model) -> NDArray[np.float32]:
    kernel, bias = (np.asarray(w, np.float32) for w in head.get_weights())
    logits: NDArray[np.float32] = features @ kernel + bias
    return logits


def _review_values(activations: Activations, classes: int, subspace: Subspace) -> dict[str, NDArray[np.float64]]:
    values = {**odds(softmax(activations.logits), classes), UNFAMILIAR: subspace.unexplained(activations.features)}
    if activations.crops is not None:
        values[ReviewReason.UNKNOWN_CROP] = 1 - activations.crops.max(axis=1)
    return values


def _outputs(activations: Activations, classes: int, temperature: float, subspace: Subspace) -> NDArray[np.float64]:
    answers = softmax(activations.logits[:, :classes] / temperature)
    return np.column_stack([answers, *_review_values(activations, classes, subspace).values()])
