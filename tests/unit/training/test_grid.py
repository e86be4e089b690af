"""Weights on a grid: rounded by at most half a step, found again, and stored in a byte without a change."""

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from worker.inference.onnx_classifier import import_onnxruntime
from worker.training.compact import compact
from worker.training.grid import FEWEST_STEPS, STEPS, on_grid, steps_of

# Kernels as Keras has them: the channels that a layer gives stand last, or, one kernel each, before the last.
SHAPES = (((3, 3, 16, 8), 3), ((3, 3, 16, 1), 2), ((1, 1, 32, 24), 3))


def kernel(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) * rng.uniform(1e-3, 4, shape[-1])).astype(np.float32)


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_a_weight_moves_by_half_a_step_of_its_channel_at_most(shape: tuple[int, ...], axis: int) -> None:
    weights = kernel(shape)
    rounded = on_grid(weights, axis)
    steps = steps_of(rounded, axis)
    assert steps is not None
    for channel, step in enumerate(steps):
        was, now = weights.take(channel, axis), rounded.take(channel, axis)
        assert np.abs(was - now).max() <= step / 2 * (1 + 1e-6)
        multiples = now / step
        assert np.array_equal(multiples, np.rint(multiples))
        assert np.abs(multiples).max() <= STEPS


def test_the_largest_weight_keeps_nearly_all_steps() -> None:
    for seed in range(20):
        weights = kernel((3, 3, 4, 8), seed)
        rounded = on_grid(weights, 3)
        step = steps_of(rounded, 3)
        assert step is not None
        assert (np.abs(rounded).max(axis=(0, 1, 2)) / step >= FEWEST_STEPS - 1e-3).all()


def test_rounding_again_changes_nothing_that_fills_its_steps() -> None:
    once = on_grid(kernel((3, 3, 16, 8)), 3)
    assert steps_of(once, 3) is not None
    assert np.array_equal(once.astype(np.float16), once)  # the four bits of a step


def test_weights_of_a_training_lie_on_no_grid() -> None:
    assert steps_of(kernel((3, 3, 16, 8)), 3) is None


def test_a_channel_of_zeros_has_a_step_too() -> None:
    weights = np.zeros((3, 3, 2, 4), np.float32)
    weights[..., 1] = 0.5
    rounded = on_grid(weights, 3)
    assert np.array_equal(rounded[..., 0], weights[..., 0])
    assert steps_of(rounded, 3) is not None


def convolution(weights: NDArray[np.float32]) -> ModelProto:
    channels, colours = weights.shape[:2]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, colours, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, 6, 6])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def answer(model: ModelProto) -> NDArray[np.float32]:
    session = import_onnxruntime().InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(1).normal(size=session.get_inputs()[0].shape).astype(np.float32)
    return np.asarray(session.run(None, {"x": pixels})[0])


@pytest.mark.parametrize(
    ("weights", "bytes_each"),
    [
        (on_grid(kernel((16, 16, 3, 3)), 0), 1),
        (kernel((16, 16, 3, 3)).astype(np.float16).astype(np.float32), 2),
        (kernel((16, 16, 3, 3)), 4),
    ],
    ids=["on a grid", "of 16 bits", "of a training"],
)
def test_weights_are_stored_as_small_as_they_can_be_without_a_change(
    weights: NDArray[np.float32], bytes_each: int
) -> None:
    model = convolution(weights)
    before, compacted = answer(model), convolution(weights)
    compact(compacted)
    assert len(compacted.SerializeToString()) == pytest.approx(bytes_each * weights.size, abs=700)
    assert np.array_equal(answer(compacted), before)
