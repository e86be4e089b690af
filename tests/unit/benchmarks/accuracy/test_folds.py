import numpy as np

from tests.benchmarks.accuracy.folds import FOLDS, LEFT_OUT, hold_out, part_of_each
from tests.benchmarks.accuracy.sources import read_sets


def made(rng: np.random.Generator, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Strata of several sizes, and groups of one to nine pictures, some of two strata."""
    strata = np.sort(rng.choice(5, count, p=[0.5, 0.2, 0.15, 0.1, 0.05]))
    groups = np.repeat(np.arange(count), rng.integers(1, 10, count))[:count]
    return strata, groups


def test_no_group_lies_in_two_folds() -> None:
    strata, groups = made(np.random.default_rng(1))
    part = part_of_each(strata, groups, FOLDS, seed=1)
    assert all(len(set(part[groups == group])) == 1 for group in set(groups))


def test_each_fold_has_about_a_fifth_of_each_stratum() -> None:
    strata, groups = made(np.random.default_rng(2))
    part = part_of_each(strata, groups, FOLDS, seed=1)
    counts = np.array([[(part[strata == s] == f).sum() for f in range(FOLDS)] for s in range(5)])
    # A group has up to nine pictures.
    assert (np.abs(counts - counts.sum(axis=1, keepdims=True) / FOLDS) <= 9).all()


def test_few_pictures_are_spread_over_all_folds() -> None:
    part = part_of_each(np.array([0] * 5 + [1] * 12), np.arange(17), FOLDS, seed=3)
    assert sorted(part[:5].tolist()) == [0, 1, 2, 3, 4]
    assert sorted(np.bincount(part[5:]).tolist()) == [2, 2, 2, 3, 3]


def test_the_same_seed_gives_the_same_folds() -> None:
    strata, groups = made(np.random.default_rng(4))
    first, again, other = (part_of_each(strata, groups, FOLDS, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_tenth_is_held_out_without_its_groups() -> None:
    strata, groups = made(np.random.default_rng(5))
    chosen = np.flatnonzero(strata < 3)
    train, held = hold_out(chosen, strata, groups, seed=1)
    assert sorted([*train, *held]) == chosen.tolist()
    assert not set(groups[train]) & set(groups[held])
    assert 0.05 < len(held) / len(chosen) < 0.15


def test_each_crop_is_left_out_once() -> None:
    assert sorted(crop for crops in LEFT_OUT.values() for crop in crops) == sorted(read_sets().crop_ids)
