"""A backbone with a head for the classes and the reasons of the review, and one for the crops where they are known."""

from typing import Any

from shared.contracts.manifest import ReviewReason
from worker.training.errors import TrainingError

Model = Any  # Keras publishes no types.

DROPOUT = 0.3
HEAD = "head_of_classes"
CROP_HEAD = "head_of_crops"
BEFORE_HEADS = "dropout"
# What the head tells from the classes, in the order of its outputs behind them.
REVIEW_CLASSES = (ReviewReason.OTHER_SYMPTOM, ReviewReason.NOT_A_LEAF, ReviewReason.BLURRED)


def training_network(backbone: Model, classes: int, *, crops: int = 0, trainable_from: str) -> Model:
    """Put untrained heads on a backbone whose layers learn from ``trainable_from`` on; those before it are frozen.

    Args:
        backbone: from ``open_backbone``; it is changed.
        classes: number of classes.
        crops: number of crops; 0: the network does not name the crop.
        trainable_from: the first layer that learns.

    Returns:
        A ``keras.Model`` from scaled pixels (n, height, width, 3) to a dict: ``HEAD`` (n, classes + 3) probabilities,
        and ``CROP_HEAD`` (n, crops) if there are crops.

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
    x = layers.Dropout(DROPOUT, name=BEFORE_HEADS)(backbone.output)
    sizes = {HEAD: classes + len(REVIEW_CLASSES)} | ({CROP_HEAD: crops} if crops else {})
    heads = {name: layers.Dense(size, activation="softmax", name=name)(x) for name, size in sizes.items()}
    return KerasModel(backbone.input, heads)


def sizes_of_heads(network: Model) -> dict[str, int]:
    """Return the number of outputs of each head of a training network, by its name."""
    return {layer.name: int(layer.units) for layer in network.layers if layer.name in {HEAD, CROP_HEAD}}
