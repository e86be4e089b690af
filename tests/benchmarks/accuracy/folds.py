"""Splits that keep groups together: folds, hold-outs, and the crops that are left out."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

FOLDS = 5
EQUAL = 1e-9
HELD_OUT_PARTS = 10  # a tenth of what is learned chooses temperature and limits
# Each crop is left out once, together with those that look like it, by leaf or by table: otherwise a network that has
# learned the grey table of cherry knows that of grape. Chilli stands beside bell pepper, which is the same species.
LEFT_OUT = {
    "laboratory": ("cherry", "grape", "tomato", "bell_pepper", "raspberry", "strawberry", "chilli"),
    "legumes": ("bean", "blackgram", "groundnut", "soybean"),
    "grasses": ("corn", "sugarcane", "garlic"),
    "evergreens": ("coffee", "mango"),
    "apple": ("apple",),
}


def part_of_each(strata: Indices, groups: Indices, parts: int, seed: int) -> Indices:
    """Put each picture into one of ``parts``: groups whole, and about the same share of every stratum in each.

    Large groups first, each where its strata are least filled; ties by chance.

    Args:
        strata: (n,) what must be spread evenly, as the set and the class.
        groups: (n,) what must stay together.
        parts: number of parts.
        seed: of the ties.

    Returns:
        (n,) numbers 0 to ``parts`` - 1.
    """
    _, stratum = np.unique(strata, return_inverse=True)
    _, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((group.max(initial=-1) + 1, stratum.max(initial=-1) + 1))
    np.add.at(counts, (group, stratum), 1)
    shares = counts / counts.sum(axis=0)
    filled = np.zeros((parts, counts.shape[1]))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    chosen = np.zeros(len(counts), np.int64)
    for number in order:
        own = counts[number] > 0
        fullness = filled[:, own] @ counts[number, own]
        best = np.flatnonzero(fullness <= fullness.min() + EQUAL)
        chosen[number] = best[rng.integers(len(best))]
        filled[chosen[number]] += shares[number]
    return chosen[group]


def hold_out(chosen: Indices, strata: Indices, groups: Indices, seed: int) -> tuple[Indices, Indices]:
    """Split the indices ``chosen`` into (train, held out), a tenth of each stratum, groups whole."""
    part = part_of_each(strata[chosen], groups[chosen], HELD_OUT_PARTS, seed)
    return chosen[part != 0], chosen[part == 0]
