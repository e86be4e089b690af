"""Weights on a grid of 255 steps for each channel: one byte each in every file, and the same numbers in all three.

A channel's step has four significant bits, so that a byte times a step fits into 16 bits of floating point without
rounding (but for the smallest): ``model.keras``, compressed, takes a quarter less, ``model.onnx`` half.
"""

import numpy as np
from numpy.typing import NDArray

STEPS = 127  # on each side of zero
STEP_BITS = 4
# The largest weight of a channel lies at least so many steps from zero: a step is rounded up by an eighth at most.
FEWEST_STEPS = 112
TOLERANCE = 1e-3  # of a step

Weights = NDArray[np.float32]


def on_grid(weights: Weights, axis: int) -> Weights:
    """Round weights to the grid of their channel; ``axis`` is that of the channels, which keep their largest weight."""
    largest = _largest(weights, axis)
    fraction, exponent = np.frexp(np.where(largest > 0, largest, 1) / STEPS)
    step = np.ldexp(np.ceil(fraction * 2**STEP_BITS) / 2**STEP_BITS, exponent)
    rounded: Weights = (np.rint(weights / step) * step).astype(np.float32)
    return rounded


def steps_of(weights: Weights, axis: int) -> NDArray[np.float32] | None:
    """Find the step of each channel, (channels,), of which its weights are multiples of -127 to 127.

    Returns:
        None if the weights lie on no grid.
    """
    largest = _largest(weights, axis)
    step = np.ones_like(largest)
    found = largest == 0
    for count in range(STEPS, FEWEST_STEPS - 1, -1):
        tried = np.where(largest > 0, largest, 1) / count
        multiples = weights / tried
        fits = np.abs(multiples - np.rint(multiples)).max(axis=_others(weights, axis), keepdims=True) < TOLERANCE
        step = np.where(~found & fits, tried, step)
        found |= fits
    return step.ravel().astype(np.float32) if found.all() else None


def _largest(weights: Weights, axis: int) -> NDArray[np.float64]:
    return np.asarray(np.abs(weights.astype(np.float64)).max(axis=_others(weights, axis), keepdims=True))


def _others(weights: Weights, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(weights.ndim) if i != axis % weights.ndim)
