"""Grounds: cuts of photographs without leaves, and made ones."""

import numpy as np
import pytest

from worker.training.scenes.grounds import MADE, any_ground, cut_grounds
from worker.training.scenes.made import KINDS, made_ground


def photograph(size: tuple[int, int] = (300, 500)) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Each pixel says where it is: red its row, green its column, both in steps."""
    rows, columns = np.indices(size)
    return np.stack([rows * 255 // size[0], columns * 255 // size[1], np.full(size, 7)], axis=-1).astype(np.uint8)


def test_cuts_are_of_many_scales_and_places() -> None:
    cuts = cut_grounds([photograph((3000, 4000))], np.random.default_rng(1), count=60, edge=96)
    assert cuts.shape == (60, 96, 96, 3)
    spans = np.ptp(cuts[..., 0].astype(int), axis=(1, 2)) * 3000 / 255 / 96
    assert spans.min() < 0.6  # pixels of the photograph for one of the cut
    assert spans.max() > 2.5
    assert len({int(cut[0, 0, 1]) for cut in cuts}) > 30


@pytest.mark.parametrize("size", [(1, 1), (40, 90), (96, 96)])
def test_a_small_photograph_is_cut_too(size: tuple[int, int]) -> None:
    assert cut_grounds([photograph(size)], np.random.default_rng(1), count=3, edge=96).shape == (3, 96, 96, 3)


def test_a_lens_cap_is_passed_over_where_there_is_something_else() -> None:
    cap = np.full((200, 200, 3), 3, np.uint8)
    cuts = cut_grounds([cap, photograph()], np.random.default_rng(1), count=40, edge=64)
    assert (cuts.max(axis=(1, 2, 3)) <= 4).mean() < 0.2
    assert len(cut_grounds([cap], np.random.default_rng(1), count=2, edge=64)) == 2


def test_without_photographs_there_is_no_cut_and_still_a_ground() -> None:
    cuts = cut_grounds([], np.random.default_rng(1), count=5)
    assert len(cuts) == 0
    assert any_ground(cuts, (90, 120), np.random.default_rng(1)).shape == (90, 120, 3)


def test_cuts_and_made_grounds_come_in_turns() -> None:
    cuts, rng = np.full((4, 64, 64, 3), (1, 2, 3), np.uint8), np.random.default_rng(1)
    of_cuts = [bool((any_ground(cuts, (96, 48), rng) == np.array([1, 2, 3])).all()) for _ in range(300)]
    assert np.mean(of_cuts) == pytest.approx(1 - MADE, abs=0.1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("size", [(224, 224), (90, 130), (17, 5)])
def test_made_grounds_have_the_size_that_is_asked_for(kind: object, size: tuple[int, int]) -> None:
    assert callable(kind)
    made = kind(size, np.random.default_rng(3))
    assert made.shape == (*size, 3)
    assert made.dtype == np.uint8


def test_each_made_ground_is_another_and_a_seed_repeats_it() -> None:
    made = [made_ground((64, 64), np.random.default_rng(seed)) for seed in range(40)]
    assert len({one.tobytes() for one in made}) == 40
    assert (made[7] == made_ground((64, 64), np.random.default_rng(7))).all()
    assert all(one.std() > 1 for one in made)
