"""The serving model: one network with an output for each name that the manifest lists."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.outputs import EMBEDDING_LENGTH, MAX_MAP_EDGE, ModelOutputs
from worker.inference.keras_classifier import shapes_by_name
from worker.training.backbone import CELLS, FEATURES
from worker.training.grid import on_grid
from worker.training.network import BEFORE_HEADS, CROP_HEAD, HEAD, REVIEW_CLASSES
from worker.training.review import EPSILON, Subspace

Model = Any  # Keras publishes no types.
Tensor = Any
# The axis of the channels that a layer gives, in its kernel (height, width, channels read, channels given).
CHANNELS_OF_KERNEL = {"Conv2D": 3, "DepthwiseConv2D": 2}
KERNEL_DIMENSIONS = 4
PROBABILITIES, REVIEW, MAP, EMBEDDING, CROP = "probabilities", "review", "map", "embedding", "crop"


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
    """Build the model from scaled pixels to the features before the heads, named ``features``."""
    import keras

    return keras.Model(trained.input, trained.get_layer(BEFORE_HEADS).input, name=FEATURES)


def serving_model(trained: Model, classes: int, *, temperature: float, subspace: Subspace) -> Model:
    """Build the model from scaled pixels (n, height, width, 3) to a dictionary of outputs, as ``ModelOutputs`` says.

    ``probabilities`` (n, classes); ``review`` (n, 4 or 5): odds of three reasons, the unexplained,
    and with ``crop`` how little it looks like any; ``embedding`` (n, 64);
    ``map`` (n, rows, columns, classes) if the features are the average of cells; ``crop`` if the network names it.

    Args:
        trained: from ``fit``, with rounded weights.
        classes: number of its outputs that are classes.
        temperature: divides the logits of the classes for their probabilities.
        subspace: of the features of the training.
    """
    import keras
    from keras import layers, ops

    kernel, bias = (np.asarray(w) for w in trained.get_layer(HEAD).get_weights())
    if len(bias) != classes + len(REVIEW_CLASSES):
        msg = f"the head has {len(bias)} outputs, expected {classes} classes and {len(REVIEW_CLASSES)} reasons"
        raise AssertionError(msg)
    features_of = _features_and_cells(trained)
    inputs = keras.Input(features_of.input_shape[1:])
    found = features_of(inputs)
    features = found[FEATURES]
    scores = _dense(features, kernel, bias, HEAD)
    joint = ops.softmax(scores, axis=-1)
    best = ops.max(joint[:, :classes], axis=1, keepdims=True)
    reasons = joint[:, classes:] / (joint[:, classes:] + best + EPSILON)
    # A normalisation with the variance 1 subtracts the mean, and keeps it among the weights.
    centre = layers.BatchNormalization(center=False, scale=False, epsilon=1e-12, name="centre")
    centred = centre(features)
    centre.set_weights([subspace.mean, np.ones_like(subspace.mean)])
    inside = _dense(centred, subspace.directions, None, "subspace")
    length = ops.sum(ops.square(centred), axis=1, keepdims=True)
    outside = ops.maximum(length - ops.sum(ops.square(inside), axis=1, keepdims=True), 0.0)
    review = [reasons, ops.sqrt(outside / (length + EPSILON))]
    outputs = {
        PROBABILITIES: ops.softmax(scores[:, :classes] / temperature, axis=-1),
        EMBEDDING: _embedding(inside, subspace),
    }
    if CELLS in found:
        outputs[MAP] = _of_each_cell(found[CELLS], kernel[:, :classes]) / temperature
    if any(layer.name == CROP_HEAD for layer in trained.layers):
        kernel, bias = (np.asarray(w) for w in trained.get_layer(CROP_HEAD).get_weights())
        outputs[CROP] = ops.softmax(_dense(features, kernel, bias, CROP_HEAD), axis=-1)
        review.append(1.0 - ops.max(outputs[CROP], axis=1, keepdims=True))
    return keras.Model(inputs, {**outputs, REVIEW: ops.concatenate(review, axis=1)})


def named_outputs(serving: Model) -> ModelOutputs:
    """Return what the manifest says of the outputs of a serving model."""
    shapes = shapes_by_name(serving)
    names = {name: name for name in (PROBABILITIES, REVIEW, MAP, EMBEDDING, CROP) if name in shapes}
    return ModelOutputs(**names, map_size=shapes[MAP][1:3] if MAP in shapes else None)


def _features_and_cells(trained: Model) -> Model:
    """Build the model from scaled pixels to ``features`` and, where those are an average of cells, ``cells``."""
    import keras

    features = trained.get_layer(BEFORE_HEADS).input
    pooling = next(layer for layer in trained.layers if layer.output is features)
    is_average = isinstance(pooling, keras.layers.GlobalAveragePooling2D) and not pooling.keepdims
    outputs = {FEATURES: features}
    if is_average and pooling.data_format == "channels_last" and _is_small(pooling.input.shape[1:3]):
        outputs[CELLS] = pooling.input
    return keras.Model(trained.input, outputs, name=FEATURES)


def _is_small(size: tuple[int | None, ...]) -> bool:
    """Return True if rows and columns are known, and few enough for a map."""
    return all(edge is not None and edge <= MAX_MAP_EDGE for edge in size)


def _dense(inputs: Tensor, kernel: Any, bias: Any, name: str) -> Tensor:  # noqa: ANN401  # arrays of any float
    """Apply a dense layer with these weights; without a bias if that is None."""
    from keras import layers

    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, name=name)
    outputs = layer(inputs)
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return outputs


def _of_each_cell(cells: Tensor, kernel: Any) -> Tensor:  # noqa: ANN401  # as above
    """Apply a dense layer without a bias to each cell: a convolution of one by one."""
    from keras import layers

    layer = layers.Conv2D(kernel.shape[1], 1, use_bias=False, name="evidence")
    outputs = layer(cells)
    layer.set_weights([kernel[None, None]])
    return outputs


def _embedding(inside: Tensor, subspace: Subspace) -> Tensor:
    """Take the first directions, scaled to -1 to 1; zeros where there are fewer of them than an embedding has."""
    from keras import ops

    count = min(EMBEDDING_LENGTH, subspace.directions.shape[1])
    scaled = ops.clip(inside[:, :count] / subspace.scale, -1.0, 1.0)
    return ops.pad(scaled, [[0, 0], [0, EMBEDDING_LENGTH - count]]) if count < EMBEDDING_LENGTH else scaled
