"""Connected parts of a mask."""

import numpy as np

from worker.training.scenes.parts import largest_part, without_holes


def drawn(*rows: str) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_the_largest_part_is_left_however_it_winds() -> None:
    mask = drawn("#####.#", "....#.#", "###.#..", "#.#.#.#", "#...#.#", "#####..")
    expected = drawn("#####..", "....#..", "###.#..", "#.#.#..", "#...#..", "#####..")
    assert (largest_part(mask) == expected).all()


def test_corners_do_not_touch() -> None:
    assert (largest_part(drawn("##.", "##.", "..#")) == drawn("##.", "##.", "...")).all()


def test_an_empty_mask_stays_empty() -> None:
    assert not largest_part(np.zeros((4, 5), bool)).any()


def test_holes_are_filled_and_bays_are_not() -> None:
    mask = drawn("#####", "#.#.#", "###.#", "#.#..", "#####")
    assert (without_holes(mask) == drawn("#####", "###.#", "###.#", "###..", "#####")).all()


def test_a_full_mask_has_no_hole() -> None:
    assert without_holes(np.ones((3, 3), bool)).all()
