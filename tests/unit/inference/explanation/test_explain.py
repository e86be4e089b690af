"""What speaks for a label, of the evidence of each cell."""

import numpy as np
import pytest

from shared.contracts.explanations import cells_of
from worker.inference.explanation import explain


def test_the_cell_that_says_most_is_full_and_what_speaks_against_is_nothing() -> None:
    evidence = np.zeros((2, 3, 3), np.float32)
    evidence[0, 1] = (1, 1, 5)  # 4 more than the mean of the others
    evidence[1, 2] = (0, 2, 3)  # 2 more
    evidence[1, 0] = (9, 9, 1)  # less
    found = explain(evidence, 2)
    assert (found.rows, found.columns) == (2, 3)
    assert cells_of(found.packed) == [[0, 255, 0], [0, 0, 128]]


def test_what_speaks_for_every_class_speaks_for_none() -> None:
    evidence = np.full((2, 2, 3), 7, np.float32)
    assert cells_of(explain(evidence, 1).packed) == [[0, 0], [0, 0]]


def test_where_nothing_speaks_for_the_label_all_cells_are_nothing() -> None:
    evidence = np.zeros((2, 2, 3), np.float32)
    evidence[:, :, 0] = 4
    assert cells_of(explain(evidence, 1).packed) == [[0, 0], [0, 0]]


def test_a_difference_below_the_precision_of_large_numbers_is_seen() -> None:
    evidence = np.full((1, 2, 2), 2.0**20, np.float32)
    evidence[0, 1, 0] += 0.125
    assert cells_of(explain(evidence, 0).packed) == [[0, 255]]


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 5), (64, 64)])
def test_the_shape_comes_back_from_the_bytes(rows: int, columns: int) -> None:
    evidence = np.random.default_rng(0).normal(size=(rows, columns, 4)).astype(np.float32)
    found = explain(evidence, 3)
    cells = np.array(cells_of(found.packed), np.uint8)
    assert cells.shape == (rows, columns)
    assert cells.tobytes() == found.values
