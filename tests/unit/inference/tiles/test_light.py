"""The light of a tile."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.contracts.manifest import LearnedLight
from worker.inference.tiles.light import Light, is_learned, light_of

LEARNED = LearnedLight(red=(0.2, 0.5), green=(0.3, 0.6), blue=(0.02, 0.4), violet=0.1)


def tile(*colour: int) -> NDArray[np.uint8]:
    return np.full((8, 8, 3), colour, np.uint8)


def test_shares_are_those_of_the_mean() -> None:
    half = np.concatenate([tile(100, 200, 100), tile(0, 0, 0)])
    assert light_of(half) == Light(0.25, 0.5, 0.25, 0.0)


def test_black_has_no_colour() -> None:
    assert light_of(tile(0, 0, 0)) == Light(1 / 3, 1 / 3, 1 / 3, 0.0)


def test_violet_is_the_part_of_the_pixels_whose_blue_is_well_above_their_green() -> None:
    pixels = np.concatenate([tile(90, 100, 120), tile(90, 100, 121), tile(90, 100, 100), tile(90, 100, 30)])
    assert light_of(pixels).violet == 0.25


@pytest.mark.parametrize(
    "colour",
    [
        (150, 60, 140),  # a leaf under lamps without green
        (200, 100, 5),  # too little blue: sodium
        (250, 90, 60),  # too much red
    ],
)
def test_a_tile_outside_of_a_range_is_in_a_light_that_was_not_learned(colour: tuple[int, int, int]) -> None:
    assert not is_learned(light_of(tile(*colour)), LEARNED)


def test_a_violet_corner_is_allowed_and_a_violet_half_is_not() -> None:
    leaf, lamp = tile(80, 120, 60), tile(80, 100, 130)
    assert is_learned(light_of(leaf), LEARNED)
    assert is_learned(light_of(np.concatenate([leaf] * 10 + [lamp])), LEARNED)
    assert not is_learned(light_of(np.concatenate([leaf, lamp])), LEARNED)


def test_violet_is_what_double_precision_says_of_every_pair_of_bytes() -> None:
    green, blue = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    pixels = np.stack([np.zeros_like(green), green, blue], axis=-1)
    assert light_of(pixels).violet == float((blue > 1.2 * green).mean())
