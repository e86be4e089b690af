"""A classifier of colours as a folder with an ONNX file: red, healthy (green) or blue, with a map of 2 x 2 cells."""

import hashlib
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from shared.contracts.manifest import MANIFEST_FILE, ONNX_FILE, ClassLabel, Manifest, ManifestTiling
from shared.contracts.outputs import ModelOutputs

EDGE, CELLS = 16, 2  # pixels, and cells of an edge
LABELS = ("red", "healthy", "blue")
TEMPERATURE = 0.1


def write_colour_model(folder: Path) -> Path:
    """Write the folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    data = _model().SerializeToString()
    (folder / ONNX_FILE).write_bytes(data)
    manifest = Manifest(
        schema_version=2,
        name="colours",
        version="1",
        sha256="0" * 64,
        onnx_sha256=hashlib.sha256(data).hexdigest(),
        classes=tuple(ClassLabel(id=label) for label in LABELS),
        input_size=(EDGE, EDGE),
        outputs=ModelOutputs(map="map", map_size=(CELLS, CELLS)),
        tiling=ManifestTiling(edge=64, min_tiles=1),
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
    return folder


def _model() -> onnx.ModelProto:
    """Return a network whose map has the colours of each cell, and whose probabilities come from their mean."""
    step = EDGE // CELLS
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["channels"], ["pooled"], kernel_shape=[step, step], strides=[step, step]),
        helper.make_node("Div", ["pooled", "temperature"], ["cells"]),
        helper.make_node("Transpose", ["cells"], ["map"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMean", ["map"], ["logits"], axes=[1, 2], keepdims=0),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    classes = len(LABELS)
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", EDGE, EDGE, 3])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes]),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, ["n", CELLS, CELLS, classes]),
        ],
        [helper.make_tensor("temperature", TensorProto.FLOAT, [1], [TEMPERATURE])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
