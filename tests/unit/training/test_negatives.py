"""Pictures that nobody should get a diagnosis for."""

import numpy as np
import pytest

from worker.training.negatives import KINDS, blurred, canopy, junk

SIZE = (64, 64)


def leaf(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def sharpness(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    grey = picture.astype(float).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_every_kind_of_junk_is_a_picture(number: int) -> None:
    values = KINDS[number](SIZE, np.random.default_rng(number))
    assert values.shape == (*SIZE, 3)
    assert np.isfinite(values).all()


def test_junk_follows_its_generator_and_differs() -> None:
    first, again, other = (junk(SIZE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(6))
def test_a_blurred_picture_has_lost_its_edges_and_kept_its_brightness(seed: int) -> None:
    made = blurred(leaf(), np.random.default_rng(seed))
    assert made.shape == (*SIZE, 3)
    assert made.dtype == np.uint8
    assert sharpness(made) < sharpness(leaf()) / 3
    assert abs(made.mean() - leaf().mean()) < 6


def test_a_canopy_is_made_of_its_leaves() -> None:
    green = np.full((*SIZE, 3), (30, 140, 40), np.uint8)
    made = canopy([green, green], np.random.default_rng(0))
    assert made.shape == (*SIZE, 3)
    assert made.dtype == np.uint8
    np.testing.assert_allclose(made.reshape(-1, 3).mean(axis=0), (30, 140, 40), atol=2)
    assert not np.array_equal(canopy([leaf(0), leaf(1)], np.random.default_rng(0)), leaf(0))
