"""Sheets of leaves and ground, whose tiles have a truth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.tiles.grid import lay_grid
from worker.training.sheets import GROUND, MIXED, Leaf, Shake, Sheet, aligned, regions, resized, squares, truths

EDGE = 32
STILL = Shake(degrees=0.0, scale=1.0, left=0, top=0)


def leaf(label: int, value: int) -> Leaf:
    return Leaf(np.full((EDGE, EDGE, 3), value, np.uint8), label)


def grid_of(sheet: Sheet, edge: int = EDGE) -> list[int]:
    height, width = sheet.truth.shape
    return [int(truth) for truth in truths(sheet, lay_grid(width, height, edge))]


def test_an_aligned_sheet_has_the_pixels_and_the_labels_of_its_leaves() -> None:
    leaves = [leaf(0, 10), leaf(1, 20), leaf(2, 30), leaf(GROUND, 40), leaf(1, 50)]
    sheet = aligned(leaves, columns=3, edge=EDGE)
    assert sheet.pixels.shape == (2 * EDGE, 3 * EDGE, 3)
    assert grid_of(sheet) == [0, 1, 2, GROUND, 1, 0]
    assert sheet.pixels[::EDGE, ::EDGE, 0].tolist() == [[10, 20, 30], [40, 50, 10]]


def test_a_tile_between_two_leaves_of_different_classes_has_no_truth() -> None:
    sheet = aligned([leaf(0, 10), leaf(1, 20)], columns=2, edge=EDGE)
    assert grid_of(Sheet(sheet.pixels[:, 1:], sheet.truth[:, 1:]))[0] == 0
    assert grid_of(Sheet(sheet.pixels[:, 8:], sheet.truth[:, 8:]))[0] == MIXED


@pytest.mark.parametrize("degrees", [0.0, 17.0, 45.0, 200.0])
@pytest.mark.parametrize("scale", [0.7, 1.4])
def test_a_sheet_of_regions_is_full_however_it_is_turned(degrees: float, scale: float) -> None:
    half = round(EDGE * scale) // 2
    sheet = regions(
        [[leaf(0, 10)], [leaf(1, 20)]],
        [np.full((200, 300, 3), 30, np.uint8)],
        np.random.default_rng(3),
        size=200,
        edge=EDGE,
        region=3,
        shake=Shake(degrees, scale, half, -half),
    )
    assert sheet.pixels.shape == (200, 200, 3)
    assert set(np.unique(sheet.truth)) == {0, 1, GROUND}
    inside = sheet.pixels[..., 0][sheet.truth == GROUND]
    assert np.median(inside) == 30


def test_a_region_has_leaves_of_one_class_each_once_before_one_comes_again() -> None:
    pool = [leaf(1, value) for value in range(100, 116)]
    sheet = regions([pool], (), np.random.default_rng(3), size=4 * EDGE, edge=EDGE, region=1, shake=STILL)
    values = sheet.pixels[EDGE // 2 :: EDGE, EDGE // 2 :: EDGE, 0]
    assert len(np.unique(values)) > 8
    assert set(np.unique(sheet.truth)) == {1}


def test_chance_keeps_to_its_scales_and_to_half_a_leaf() -> None:
    rng = np.random.default_rng(1)
    for shake in (Shake.by_chance(rng, edge=256, scales=(0.7, 1.4)) for _ in range(200)):
        assert 0.7 <= shake.scale <= 1.4
        assert max(abs(shake.left), abs(shake.top)) <= 128 * shake.scale + 1


def test_ground_is_cut_into_the_tiles_of_its_grid() -> None:
    photograph: NDArray[np.uint8] = np.zeros((70, 100, 3), np.uint8)
    cut = squares(photograph, EDGE)
    assert len(cut) == 4 * 3
    assert {one.pixels.shape for one in cut} == {(EDGE, EDGE, 3)}
    assert {one.label for one in cut} == {GROUND}


def test_a_smaller_leaf_has_means_of_pixels() -> None:
    fine = np.zeros((64, 64, 3), np.uint8)
    fine[:, ::2] = 200
    assert np.abs(resized(fine, 16)[:, 2:-2].astype(int) - 100).max() <= 1  # At the border it is steeper.
    assert resized(fine, 64) is fine
