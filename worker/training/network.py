"""The small network: residual blocks of plain convolutions, 1.1 million parameters, softmax inside.

Plain and not separable convolutions: on a CPU, TensorFlow trains them twice as fast for the same accuracy.
"""

from typing import Any

STEM_CHANNELS = 16
STAGES = (32, 64, 128, 160)  # Channels of each stage; the stem and every stage halve the edges of the picture.
MOMENTUM = 0.9  # Of the batch statistics: an epoch has few steps, 0.99 would lag behind the weights.
DROPOUT = 0.3


def small_network(input_size: tuple[int, int], classes: int) -> Any:  # noqa: ANN401  # Keras publishes no types
    """An untrained ``keras.Model``: (n, height, width, 3) scaled pixels to (n, classes) probabilities."""
    from keras import Input, Model, layers

    inputs = Input((*input_size, 3))
    x = _convolution(inputs, STEM_CHANNELS, edge=5, strides=2)
    for channels in STAGES:
        x = _convolution(x, channels, strides=2)
        x = _residual(x, channels)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(DROPOUT)(x)
    return Model(inputs, layers.Dense(classes, activation="softmax")(x))


def _convolution(x: Any, channels: int, *, edge: int = 3, strides: int = 1) -> Any:  # noqa: ANN401
    from keras import layers

    x = layers.Conv2D(channels, edge, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))


def _residual(x: Any, channels: int) -> Any:  # noqa: ANN401
    from keras import layers

    y = _convolution(x, channels)
    y = layers.Conv2D(channels, 3, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization(momentum=MOMENTUM)(y)
    return layers.ReLU()(layers.Add()([x, y]))
