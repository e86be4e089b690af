"""The tiles that a classifier has learned from cut-outs."""

from collections.abc import Callable

import numpy as np
import pytest

from shared.contracts.manifest import LearnedLight
from worker.training.cut_outs import CutPhotograph
from worker.training.measure import Answers
from worker.training.tiling import coarser, learned_tiling

LIGHT = LearnedLight(red=(0.3, 0.4), green=(0.3, 0.4), blue=(0.2, 0.3), violet=0.1)


def answers(right: float, counted: float = 1.0) -> Answers:
    """Forty answers in two classes, of which these parts are right and count."""
    labels = np.repeat([0, 1], 20)
    place = np.tile(np.arange(20), 2)
    said = np.where(place < round(20 * right), labels, 1 - labels)
    return Answers(("healthy", "blight"), labels, said, np.full(40, 0.9), place >= round(20 * counted))


def fails_below(pixels: int, **worse: float) -> Callable[[int], Answers]:
    return lambda left: answers(**({"right": 1.0} if left >= pixels else {"right": 1.0, **worse}))


def cuts(*of: tuple[int, float | None]) -> list[CutPhotograph]:
    return [CutPhotograph(edge=edge, ground_resolution_mm=mm) for edge, mm in of]


@pytest.mark.parametrize("worse", [{"right": 0.9}, {"counted": 0.4}])
def test_the_coarse_end_is_where_held_out_tiles_with_fewer_pixels_fail(worse: dict[str, float]) -> None:
    rule = learned_tiling(cuts((160, 5.0), (160, 4.8), (160, 5.2)), LIGHT, fails_below(80, **worse))
    assert (rule.edge, rule.edge_mm, rule.light) == (160, 800.0, LIGHT)
    assert rule.ground_resolution_mm == (4.8, 10.0)


def test_what_was_learned_is_in_the_range_even_if_nothing_coarser_is() -> None:
    rule = learned_tiling(cuts((160, 5.0), (100, 8.0)), LIGHT, fails_below(150, right=0.0))
    assert rule.ground_resolution_mm == (5.0, 8.0)


def test_without_a_known_ground_there_is_an_edge_and_no_range() -> None:
    rule = learned_tiling(cuts((160, None), (160, None), (96, None)), LIGHT, fails_below(0))
    assert (rule.edge, rule.edge_mm, rule.ground_resolution_mm) == (160, None, None)


def test_a_coarser_picture_has_its_size_and_fewer_different_pixels() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    assert coarser(picture, 64) is picture
    soft = coarser(picture, 8)
    assert soft.shape == picture.shape
    assert soft.std() < picture.std() / 2
