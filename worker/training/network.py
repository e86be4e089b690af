"""A backbone with a head of one layer: the classes, and behind them the outputs of the review."""

from typing import Any

from shared.contracts.manifest import ReviewReason
from worker.training.errors import TrainingError

Model = Any  # Keras publishes no types.

DROPOUT = 0.3
HEAD = "head_of_classes"
# What the head tells from the classes, in the order of its outputs behind them.
REVIEW_CLASSES = (ReviewReason.OTHER_SYMPTOM, ReviewReason.NOT_A_LEAF, ReviewReason.BLURRED)


def training_network(backbone: Model, classes: int, *, trainable_from: str) -> Model:
    """Put an untrained head on a backbone whose layers learn from ``trainable_from`` on; those before it are frozen.

    Returns:
        A ``keras.Model`` from scaled pixels (n, height, width, 3) to (n, classes + 3) probabilities.

    Raises:
        TrainingError: the backbone has no such layer.
    """
    from keras import Model as KerasModel
    from keras import layers

    names = [layer.name for layer in backbone.layers]
    if trainable_from not in names:
        raise TrainingError(f"The backbone has no layer {trainable_from!r}; its layers are {', '.join(names)}.")
    first = names.index(trainable_from)
    for number, layer in enumerate(backbone.layers):
        layer.trainable = number >= first
    x = layers.Dropout(DROPOUT)(backbone.output)
    outputs = layers.Dense(classes + len(REVIEW_CLASSES), activation="softmax", name=HEAD)(x)
    return KerasModel(backbone.input, outputs)
