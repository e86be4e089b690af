"""A classifier folder without a training: a small network of convolutions that tells red, green and blue apart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from PIL import Image

from shared.contracts.manifest import ONNX_FILE, ClassLabel, Manifest, Preprocessing
from shared.contracts.outputs import ModelOutputs
from worker.inference.manifest import file_sha256
from worker.training.grid import on_grid
from worker.training.write import write_manifest

EDGE = 16
COLOURS = ("red", "green", "blue")
CHANNELS = 16
CELLS = EDGE // 2
SHARPNESS = 3.0


def network(*, pads: Sequence[int] = (0, 0, 1, 1), pooling: str = "GlobalAveragePool") -> ModelProto:
    """pixels -> convolution of stride 2 -> one for each channel -> 1 x 1 -> pooling -> probabilities, and a map."""
    rng = np.random.default_rng(0)
    stem, each = noise(rng, (CHANNELS, 3, 3, 3)), noise(rng, (CHANNELS, 1, 3, 3))
    last = noise(rng, (CHANNELS, CHANNELS, 1, 1))
    for colour in range(len(COLOURS)):
        stem[colour, colour, 1, 1] = each[colour, 0, 1, 1] = last[colour, colour, 0, 0] = 1
    head = np.zeros((CHANNELS, len(COLOURS)), np.float32)
    head[: len(COLOURS)] = np.eye(len(COLOURS)) * SHARPNESS
    weights: dict[str, NDArray[np.float32]] = {
        name: on_grid(kernel, 0) for name, kernel in (("stem", stem), ("each", each), ("last", last))
    }
    weights |= {f"{name}_bias": np.full(CHANNELS, 0.1, np.float32) for name in ("stem", "each", "last")}
    weights |= {"head": head, "zero": np.array(0, np.float32), "six": np.array(6, np.float32)}
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["first"], "first", perm=[0, 3, 1, 2]),
        *convolution("first", "stem", strides=[2, 2], pads=list(pads), group=1),
        *convolution("stem_out", "each", strides=[1, 1], pads=[1, 1, 1, 1], group=CHANNELS),
        *convolution("each_out", "last", strides=[1, 1], pads=[0, 0, 0, 0], group=1),
        helper.make_node(pooling, ["last_out"], ["pooled"], "pool"),
        helper.make_node("Flatten", ["pooled"], ["features"], "flat"),
        helper.make_node("MatMul", ["features", "head"], ["logits"], "logits"),
        helper.make_node("Softmax", ["logits"], ["probabilities"], "probabilities", axis=-1),
        helper.make_node("Transpose", ["last_out"], ["cells"], "cells", perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["cells", "head"], ["map"], "map"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", EDGE, EDGE, 3])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(COLOURS)]),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, ["n", CELLS, CELLS, len(COLOURS)]),
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def convolution(source: str, name: str, *, strides: list[int], pads: list[int], group: int) -> list[NodeProto]:
    """A convolution and its ReLU6."""
    sums, weights = f"{name}_sums", [name, f"{name}_bias"]
    return [
        helper.make_node("Conv", [source, *weights], [sums], sums, strides=strides, pads=pads, group=group,
                         kernel_shape=[1, 1] if name == "last" else [3, 3], dilations=[1, 1]),
        helper.make_node("Clip", [sums, "zero", "six"], [f"{name}_out"], f"{name}_out"),
    ]  # fmt: skip


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Draw small weights."""
    return rng.normal(0, 0.02, shape).astype(np.float32)


def write_folder(folder: Path) -> Path:
    """Write the network and its manifest; there is no ``model.keras``."""
    folder.mkdir()
    (folder / ONNX_FILE).write_bytes(network().SerializeToString())
    manifest = Manifest(
        schema_version=2,
        name="small",
        version="1",
        sha256="0" * 64,
        onnx_sha256=file_sha256(folder / ONNX_FILE),
        classes=tuple(ClassLabel(id=colour) for colour in COLOURS),
        input_size=(EDGE, EDGE),
        preprocessing=Preprocessing(scale=1 / 64),
        outputs=ModelOutputs(map="map", map_size=(CELLS, CELLS)),
    )
    write_manifest(folder, manifest)
    return folder


def write_pictures(folder: Path, count: int = 12) -> Path:
    """Write pictures in which one colour is the brightest, a folder for each."""
    rng = np.random.default_rng(1)
    for number, colour in enumerate(COLOURS):
        (folder / colour).mkdir(parents=True)
        for picture in range(count):
            pixels = rng.integers(0, 120, (EDGE, EDGE, 3))
            pixels[..., number] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(folder / colour / f"{picture}.png")
    return folder
