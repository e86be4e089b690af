"""The reach of a classifier: leaves are drawn smaller and larger until its answers in tiles fail.

A coarser photograph has fewer pixels for each leaf, and a tile of the same edge more leaves. So leaves of one class are
laid side by side in the size that the coarser camera would give them, each pixel a mean of those that it replaces, and
the whole is turned by chance. A finer photograph shows a part of a leaf in each tile; there the pictures of the sheets
are enlarged, which makes them softer than a camera would, so that end is a lower estimate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from worker.inference.classifier import Classifier
from worker.training.sheets import Leaf, Shake, aligned, regions, resized
from worker.training.tiles import JudgedTiles, judge_sheets

# Pixels of a leaf's picture over those of a tile, from fine to coarse.
SCALES = (1.4, 1.2, 1.0, 0.84, 0.7, 0.6, 0.5, 0.42, 0.35, 0.3, 0.25)
SHEET = 2048  # pixels
SHEETS_OF_A_CLASS = 2
COLUMNS = 16
# Given up when this much of the right answers is lost, or half of the tiles of a class to a review: a classifier that
# only asks for a person is not wrong, and of no use.
LOSS = 0.02
MIN_COUNTED = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """Parts of tiles: of the counted ones those that are right, over all and by class; those that count, by class."""

    accuracy: float
    right: tuple[float, ...]
    counted: tuple[float, ...]

    def is_as_good_as(self, other: "Step") -> bool:
        """Return True if less than ``LOSS`` of the right answers is lost, and no class lost half of its tiles."""
        counted = all(a >= MIN_COUNTED * b for a, b in zip(self.counted, other.counted, strict=True))
        return counted and self.accuracy > other.accuracy - LOSS


def step_of(judged: JudgedTiles, classes: int) -> Step:
    """Sum up judged tiles, class by class; a class without a counted tile has none right."""
    masks = [judged.truth == label for label in range(classes)]
    return Step(
        float(np.nan_to_num(judged.right(judged.is_leaf))),
        tuple(float(np.nan_to_num(judged.right(mask))) for mask in masks),
        tuple(float(np.nan_to_num(judged.counted(mask))) for mask in masks),
    )


def many_leaves(
    classifier: Classifier, pools: Sequence[Sequence[Leaf]], rng: np.random.Generator, *, edge: int, scale: float
) -> JudgedTiles:
    """Judge tiles of ``edge`` pixels that are full of leaves of ``scale`` times that edge, all of one class."""
    leaf = max(1, round(edge * scale))
    sheets = [
        regions(
            [pool],
            (),
            rng,
            size=SHEET,
            edge=leaf,
            region=1,
            shake=Shake.by_chance(rng, edge=leaf, scales=(1.0, 1.0)),
        )
        for pool in pools
        for _ in range(SHEETS_OF_A_CLASS)
    ]
    return judge_sheets(classifier, sheets, edge)


def one_leaf(classifier: Classifier, leaves: Sequence[Leaf], *, edge: int, scale: float) -> JudgedTiles:
    """Judge tiles that each show one leaf, as smaller tiles of a coarser photograph do: reduced, then enlarged."""
    size = max(1, round(edge * scale))
    soft = [Leaf(resized(resized(one.pixels, size), edge), one.label) for one in leaves]
    return judge_sheets(classifier, [aligned(soft, columns=COLUMNS, edge=edge)], edge)


def reach(steps: Mapping[float, Step]) -> tuple[float, float]:
    """Return the largest and the smallest scale up to which every step is as good as that of 1."""
    best = steps[1.0]
    finer = sorted(scale for scale in steps if scale >= 1)
    coarser = sorted((scale for scale in steps if scale <= 1), reverse=True)
    return _last_good(finer, steps, best), _last_good(coarser, steps, best)


def _last_good(scales: Sequence[float], steps: Mapping[float, Step], best: Step) -> float:
    last = scales[0]
    for scale in scales:
        if not steps[scale].is_as_good_as(best):
            break
        last = scale
    return last
