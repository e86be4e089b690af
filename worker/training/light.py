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
# Of a flight of one day, whose next has another light: each share of a colour may be so much larger or smaller, as a
# part of itself, and so much more of the picture violet. The training itself varies each colour by 0.15.
ANOTHER_DAY = 0.08
VIOLET_OF_ANOTHER_DAY = 0.05


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


def of_another_day(light: LearnedLight) -> LearnedLight:
    """Widen the light of a few pictures of one day to that of the days that follow."""
    red, green, blue = (
        (_down(low * (1 - ANOTHER_DAY)), min(1.0, _up(high * (1 + ANOTHER_DAY))))
        for low, high in (light.red, light.green, light.blue)
    )
    return LearnedLight(red=red, green=green, blue=blue, violet=min(1.0, light.violet + VIOLET_OF_ANOTHER_DAY))


def _range(values: list[float], outside: float) -> tuple[float, float]:
    low, high = np.quantile(values, [outside, 1 - outside])
    return _down(float(low)), _up(float(high))


def _up(value: float) -> float:
    return ceil(value * STEPS) / STEPS


def _down(value: float) -> float:
    return floor(value * STEPS) / STEPS
