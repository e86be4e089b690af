"""Weights of an ONNX file in fewer bits, where that loses nothing; ONNX Runtime widens them once, when it loads them.

Kernels that lie on a grid (``grid``) take one byte each, other weights two if 16 bits hold them exactly.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.training.grid import steps_of

FEWEST = 256  # weights that are worth a node

Model = Any  # onnx.ModelProto


def compact(model: Model) -> None:
    """Store every weight of a model as small as it can be without a change."""
    from onnx import numpy_helper

    kernels = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for weight in list(model.graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < FEWEST:
            continue
        if weight.name not in kernels or not _store_as_bytes(model.graph, weight, values):
            _store_in_16_bits(model.graph, weight, values)


def _store_as_bytes(graph: Any, weight: Any, values: NDArray[np.float32]) -> bool:  # noqa: ANN401  # of onnx
    """Store a kernel (channels, ...) as bytes and a step for each channel; return False if that would change it."""
    from onnx import TensorProto, helper, numpy_helper

    steps = steps_of(values, axis=0)
    if steps is None:
        return False
    widened = steps.reshape(-1, *[1] * (values.ndim - 1))
    multiples = np.rint(values / widened)
    if not np.array_equal(multiples.astype(np.float32) * widened, values):
        return False
    names = [f"{weight.name}_{part}" for part in ("8", "steps", "multiples")]
    graph.initializer.append(numpy_helper.from_array(multiples.astype(np.int8), names[0]))
    graph.initializer.append(numpy_helper.from_array(widened, names[1]))
    graph.node.insert(0, helper.make_node("Cast", [names[0]], [names[2]], names[2], to=TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Mul", names[2:0:-1], [weight.name], f"{weight.name}_widened"))
    graph.initializer.remove(weight)
    return True


def _store_in_16_bits(graph: Any, weight: Any, values: NDArray[np.float32]) -> None:  # noqa: ANN401  # of onnx
    from onnx import TensorProto, helper, numpy_helper

    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if not np.array_equal(halves.astype(np.float32), values):
        return
    name = f"{weight.name}_16"
    graph.initializer.append(numpy_helper.from_array(halves, name))
    graph.node.insert(0, helper.make_node("Cast", [name], [weight.name], f"{name}_widened", to=TensorProto.FLOAT))
    graph.initializer.remove(weight)
