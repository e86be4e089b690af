"""Grids of tiles."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tiles.grid import count_tiles, lay_grid

LENGTHS = st.integers(1, 9000)
EDGES = st.integers(32, 8192)
OVERLAPS = st.floats(0, 0.5)


def test_the_last_row_and_column_move_inwards() -> None:
    grid = lay_grid(600, 500, 256)
    assert (grid.x, grid.y) == ((0, 256, 344), (0, 244))
    assert [grid.box(tile) for tile in (0, 2, 5)] == [(0, 0, 256, 256), (344, 0, 600, 256), (344, 244, 600, 500)]


def test_neighbours_share_the_overlap() -> None:
    assert lay_grid(1000, 200, 200, 0.25).x == (0, 150, 300, 450, 600, 750, 800)


def test_a_picture_smaller_than_a_tile_is_one_tile() -> None:
    grid = lay_grid(200, 100, 256)
    assert (grid.tiles, grid.box(0)) == (1, (0, 0, 200, 100))


@given(LENGTHS, LENGTHS, EDGES, OVERLAPS)
def test_tiles_cover_the_whole_picture_and_nothing_else(width: int, height: int, edge: int, overlap: float) -> None:
    grid = lay_grid(width, height, edge, overlap)
    for starts, length in ((grid.x, width), (grid.y, height)):
        assert starts[0] == 0
        assert starts[-1] == max(0, length - edge)
        assert all(before < after <= before + edge for before, after in pairwise(starts))
    assert grid.tiles == count_tiles(width, height, edge, overlap)


def test_counting_costs_nothing_for_a_huge_head() -> None:
    assert count_tiles(2**31, 2**31, 32) == 2**52


@pytest.mark.parametrize("tile", [0, 1, 5])
def test_boxes_are_counted_rows_first(tile: int) -> None:
    grid = lay_grid(768, 512, 256)
    row, column = divmod(tile, 3)
    assert grid.box(tile)[:2] == (256 * column, 256 * row)
