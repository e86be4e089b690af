"""``model.onnx`` to ``model.int8.onnx``: the backbone in bytes, the heads in floating point.

Static quantisation: a scale for each channel of the weights, and one for each activation, whose range is that of real
images. What follows the average pooling (probabilities, review, map, embedding, crop) stays as it is.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.inference.onnx_classifier import import_onnxruntime
from worker.training.compact import compact
from worker.training.errors import TrainingError
from worker.training.grid import STEPS, steps_of
from worker.training.wide_stem import widen_stem

POOLING = ("GlobalAveragePool", "ReduceMean")

Model = Any  # onnx.ModelProto
Batches = Iterable[NDArray[np.float32]]


def write_int8(source: Path, target: Path, batches: Batches) -> None:
    """Quantise a model with one input.

    Args:
        source: the ONNX file in floating point.
        target: the file to write.
        batches: real images, prepared as the manifest says, each (n, height, width, 3): they give the ranges.

    Raises:
        TrainingError: the network has no convolutions before an average pooling.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with TemporaryDirectory(dir=target.parent) as made, _quiet():
        plain = Path(made) / "plain.onnx"
        _fold(source, plain)
        model = onnx.load(plain)
        widen_stem(model)
        onnx.save(model, plain)
        quantize_static(
            str(plain),
            str(target),
            _reader(model.graph.input[0].name, batches),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=body_of(model),
            extra_options={"TensorQuantOverrides": _own_steps(model)},
        )
    quantised = onnx.load(target)
    compact(quantised)
    target.write_bytes(quantised.SerializeToString())


def body_of(model: Model) -> list[str]:
    """List the names of the nodes before the average pooling.

    Raises:
        TrainingError: there is no such pooling, or no convolution before it.
    """
    makers = {name: node for node in model.graph.node for name in node.output}
    pooling = next((node for node in model.graph.node if node.op_type in POOLING), None)
    found: dict[str, Any] = {}
    waiting = [] if pooling is None else [pooling.input[0]]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            waiting += node.input
    if not any(node.op_type == "Conv" for node in found.values()):
        raise TrainingError(
            "Only networks of convolutions with an average pooling behind them can be written in bytes; this one runs "
            "on model.onnx."
        )
    return [node.name for node in model.graph.node if node.name in found]


def _fold(source: Path, target: Path) -> None:
    """Let ONNX Runtime compute what does not depend on the input: weights that are widened, shapes."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def _own_steps(model: Model) -> dict[str, list[dict[str, Any]]]:
    """Return the steps of weights that lie on a grid: rounding them to another one would change them once more."""
    from onnx import numpy_helper
    from onnxruntime.quantization import QuantType

    kernels = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    own = {}
    for weights in (each for each in model.graph.initializer if each.name in kernels):
        steps = steps_of(numpy_helper.to_array(weights), axis=0)
        if steps is not None:
            ends = [float(step) * STEPS for step in steps]
            own[weights.name] = [
                {"quant_type": QuantType.QInt8, "rmin": -end, "rmax": end, "symmetric": True} for end in ends
            ]
            own[weights.name][0]["axis"] = 0
    return own


def _reader(name: str, batches: Batches) -> Any:  # noqa: ANN401  # a subclass of onnxruntime's own
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # It publishes no types.
        """Batches by the name of the input."""

        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            """Return the next batch; None after the last."""
            batch = next(self._batches, None)
            return None if batch is None else {name: batch}

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out its advice to prepare the model, which ``_fold`` has done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
