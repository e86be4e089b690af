"""The serving model: calibrated probabilities of the classes, then the review outputs, in one network."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.training.backbone import FEATURES
from worker.training.grid import on_grid
from worker.training.network import BEFORE_HEADS, HEAD, REVIEW_CLASSES
from worker.training.review import EPSILON, Subspace

Model = Any  # Keras publishes no types.
# The axis of the channels that a layer gives, in its kernel (height, width, channels read, channels given).
CHANNELS_OF_KERNEL = {"Conv2D": 3, "DepthwiseConv2D": 2}
KERNEL_DIMENSIONS = 4


def round_weights(model: Model) -> None:
    """Round kernels of convolutions to the grid of their channels, every other weight to 16 bits.

    So that files are small, every copy gives the same numbers, and an int8 model has the very same weights.
    """
    for layer in model.layers:
        if hasattr(layer, "layers"):
            round_weights(layer)
            continue
        layer.set_weights([_rounded(np.asarray(w), type(layer).__name__) for w in layer.get_weights()])


def _rounded(weights: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    axis = CHANNELS_OF_KERNEL.get(kind)
    if axis is None or weights.ndim != KERNEL_DIMENSIONS:
        return weights.astype(np.float16).astype(np.float32)
    return on_grid(weights, axis)


def feature_model(trained: Model) -> Model:
    """Build the model from scaled pixels to the features before the head, named ``features``."""
    import keras

    return keras.Model(trained.input, trained.get_layer(BEFORE_HEADS).input, name=FEATURES)


def serving_model(trained: Model, classes: int, *, temperature: float, subspace: Subspace) -> Model:
    """Build the model from scaled pixels to (n, classes + 4): probabilities, odds of three reasons, the unexplained.

    Args:
        trained: from ``fit``, with rounded weights.
        classes: number of its outputs that are classes.
        temperature: divides the logits of the classes for their probabilities.
        subspace: of the features of the training.
    """
    import keras
    from keras import layers, ops

    features_of = feature_model(trained)
    kernel, bias = (np.asarray(w) for w in trained.get_layer(HEAD).get_weights())
    inputs = keras.Input(features_of.input_shape[1:])
    features = features_of(inputs)
    logits = layers.Dense(len(bias), name=HEAD)
    scores = logits(features)
    answers = ops.softmax(scores[:, :classes] / temperature, axis=-1)
    joint = ops.softmax(scores, axis=-1)
    best = ops.max(joint[:, :classes], axis=1, keepdims=True)
    reasons = joint[:, classes:] / (joint[:, classes:] + best + EPSILON)
    # A normalisation with the variance 1 subtracts the mean, and keeps it among the weights.
    centre = layers.BatchNormalization(center=False, scale=False, epsilon=1e-12, name="centre")
    inside = layers.Dense(subspace.directions.shape[1], use_bias=False, name="subspace")
    centred = centre(features)
    length = ops.sum(ops.square(centred), axis=1, keepdims=True)
    outside = ops.maximum(length - ops.sum(ops.square(inside(centred)), axis=1, keepdims=True), 0.0)
    unexplained = ops.sqrt(outside / (length + EPSILON))
    model = keras.Model(inputs, ops.concatenate([answers, reasons, unexplained], axis=1))
    logits.set_weights([kernel, bias])
    centre.set_weights([subspace.mean, np.ones_like(subspace.mean)])
    inside.set_weights([subspace.directions])
    if len(bias) != classes + len(REVIEW_CLASSES):
        msg = f"the head has {len(bias)} outputs, expected {classes} classes and {len(REVIEW_CLASSES)} reasons"
        raise AssertionError(msg)
    return model
