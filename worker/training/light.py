"""The light that the pictures of a training were taken in, for ``tiling.light`` of a manifest."""

from collections.abc import Iterable
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import LearnedLight
from worker.inference.tiles.light import light_of

# The pictures that are left outside, at each end of each colour's range, and above the violet part. Together about one
# picture in fifty: coffee on white paper and cherry on violet-grey tables are in the shipped training.
OUTSIDE_OF_A_SHARE = 0.0005
OUTSIDE_OF_VIOLET = 0.01
STEPS = 1000


def learned_light(pictures: Iterable[NDArray[np.uint8]]) -> LearnedLight:
    """Learn the ranges from the pictures of a training: uint8, (height, width, 3), RGB, of the size of the input.

    The ends are quantiles, rounded outwards.
    """
    lights = [light_of(picture) for picture in pictures]
    red, green, blue = (
        _range([getattr(light, colour) for light in lights], OUTSIDE_OF_A_SHARE) for colour in ("red", "green", "blue")
    )
    violet = float(np.quantile([light.violet for light in lights], 1 - OUTSIDE_OF_VIOLET))
    return LearnedLight(red=red, green=green, blue=blue, violet=_up(violet))


def _range(values: list[float], outside: float) -> tuple[float, float]:
    low, high = np.quantile(values, [outside, 1 - outside])
    return floor(float(low) * STEPS) / STEPS, _up(float(high))


def _up(value: float) -> float:
    return ceil(value * STEPS) / STEPS
