"""The backbone of a classifier: a network that turns a picture into a few hundred to a few thousand features.

Batch normalisation is folded into the convolution before it: with frozen statistics it is the same function, the
network is a third smaller to run, and Keras and ONNX compute the same numbers from the same weights.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from worker.inference.keras_classifier import load_model
from worker.training.errors import TrainingError

FEATURES = "features"  # The name of the backbone inside a classifier that was trained here.
CELLS = "cells"  # Of its outputs, the features of each cell, whose average over the cells is ``FEATURES``.
Model = Any  # Keras publishes no types.
Config = dict[str, Any]


def open_backbone(path: Path) -> Model:
    """Open the backbone of a ``.keras`` file: the whole model if it ends in features, or the part named ``features``.

    Returns:
        A ``keras.Model`` from (n, height, width, 3) to (n, features), without batch normalisation.

    Raises:
        ModelUnusable: Keras refuses the file.
        TrainingError: the file has no such part.
    """
    if not path.is_file():
        raise TrainingError(f"There is no backbone {path}; name a .keras file whose output is (n, features).")
    model = load_model(path)
    inner = [layer for layer in model.layers if layer.name == FEATURES]
    backbone = fold_batch_norm(_without_cells(inner[0]) if inner else model)
    rank = len(backbone.output_shape)
    if rank != 2:  # noqa: PLR2004  # (n, features)
        raise TrainingError(f"{os.fspath(path)} ends in {backbone.output_shape}, a backbone ends in (n, features).")
    return backbone


def _without_cells(backbone: Model) -> Model:
    import keras

    outputs = backbone.output
    return keras.Model(backbone.input, outputs[FEATURES]) if isinstance(outputs, dict) else backbone


def fold_batch_norm(model: Model) -> Model:
    """Fold each batch normalisation into the convolution that it follows; the function stays the same.

    Raises:
        TrainingError: a normalisation follows another layer, or is not the only one that follows its convolution.
    """
    import keras

    config: Config = json.loads(model.to_json())["config"]  # As JSON it has lists where it may have tuples.
    config["name"] = FEATURES
    norms = {e["name"]: _source(e) for e in config["layers"] if e["class_name"] == "BatchNormalization"}
    by_name = {entry["name"]: entry for entry in config["layers"]}
    users = Counter(name for entry in config["layers"] for name in _sources(entry["inbound_nodes"]))
    for norm, convolution in norms.items():
        if by_name[convolution]["class_name"] not in {"Conv2D", "DepthwiseConv2D"} or users[convolution] > 1:
            raise TrainingError(f"The backbone's layer {norm} must follow a convolution that nothing else follows.")
        by_name[convolution]["config"]["use_bias"] = True
    config["layers"] = [entry for entry in config["layers"] if entry["name"] not in norms]
    _rename(config, norms)
    folded = keras.Model.from_config(config)
    followed = {convolution: norm for norm, convolution in norms.items()}
    for layer in folded.layers:
        old = model.get_layer(layer.name)
        norm = followed.get(layer.name)
        layer.set_weights(_folded(old, model.get_layer(norm)) if norm else old.get_weights())
    return folded


def _source(entry: Config) -> str:
    """Return the name of the layer whose output a layer with one input takes."""
    (tensor,) = entry["inbound_nodes"][0]["args"]
    name: str = tensor["config"]["keras_history"][0]
    return name


def _sources(node: object) -> Iterator[str]:
    """Yield the names of all layers whose outputs are used in a part of a configuration."""
    if isinstance(node, dict):
        if "keras_history" in node:
            yield node["keras_history"][0]
        for value in node.values():
            yield from _sources(value)
    elif isinstance(node, list):
        for value in node:
            yield from _sources(value)


def _rename(config: object, names: dict[str, str]) -> None:
    """Point every use of a removed layer at the layer before it; ``keras_history`` and outputs are [name, node, n]."""
    if isinstance(config, dict):
        for value in config.values():
            _rename(value, names)
    elif isinstance(config, list):
        if config and isinstance(config[0], str) and config[0] in names:
            config[0] = names[config[0]]
        for value in config:
            _rename(value, names)


def _folded(convolution: Model, norm: Model) -> list[np.ndarray[Any, Any]]:
    """Return kernel and bias of a convolution with its normalisation (Ioffe and Szegedy, 2015, algorithm 2)."""
    kernel, *bias = (np.asarray(w, np.float64) for w in convolution.get_weights())
    shift = bias[0] if bias else 0.0
    gain = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    depthwise = type(convolution).__name__ == "DepthwiseConv2D"
    scaled = kernel * (gain.reshape(kernel.shape[2:]) if depthwise else gain)
    moved = (shift - np.asarray(norm.moving_mean)) * gain + np.asarray(norm.beta)
    return [scaled.astype(np.float32), moved.astype(np.float32)]
