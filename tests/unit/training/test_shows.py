"""What a training shows, how often, and what the network is told of it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worker.training import shows
from worker.training.dataset import NO_CROP, LabelledFile
from worker.training.network import CROP_HEAD, HEAD
from worker.training.scenes.tile import LeafTile
from worker.training.shows import (
    ANY_CROP,
    LABEL_SMOOTHING,
    NO_LEAF,
    Made,
    Show,
    Shows,
    chances_to_paste,
    labels_of_tile,
    shares_of_shows,
)
from worker.training.store import VARIANTS, Examples

PICTURE = np.zeros((2, 2, 3), np.uint8)
CLASSES, CROPS, EDGE = 2, 3, 32
HEALTHY, RUST, OTHER = 0, 1, 2


def test_pictures_of_a_small_set_are_shown_more_often() -> None:
    labels = np.array([0] * 90 + [0] * 10)
    crops = np.array([0] * 90 + [1] * 10)
    shares = shares_of_shows(labels, crops)
    assert shares.sum() == pytest.approx(1)
    assert shares[crops == 1].sum() / shares[crops == 0].sum() == pytest.approx((10 / 90) ** (1 + shows.BALANCE))


def test_the_target_of_a_class_is_smoothed_and_that_of_a_crop_is_not() -> None:
    show = Show(PICTURE, {1: 1.0}, crop=2)
    classes, crops = show.target(HEAD, 5), show.target(CROP_HEAD, CROPS)
    assert classes.sum() == pytest.approx(1)
    assert classes[1] == pytest.approx(1 - LABEL_SMOOTHING + LABEL_SMOOTHING / 5)
    assert crops.tolist() == [0, 0, 1]


def test_nothing_is_learned_of_a_crop_that_nobody_named() -> None:
    assert not Show(PICTURE, {1: 1.0}, crop=NO_CROP).target(CROP_HEAD, CROPS).any()


def test_what_is_no_leaf_is_as_much_one_crop_as_another() -> None:
    assert Show(PICTURE, {3: 1.0}, crop=ANY_CROP).target(CROP_HEAD, CROPS) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({HEALTHY: 0.6}, {HEALTHY: 1.0}),
        ({HEALTHY: 0.6, RUST: 0.2}, {RUST: 1.0}),
        ({HEALTHY: 0.45, RUST: 0.05}, {HEALTHY: 0.9, RUST: 0.1}),
        ({RUST: 0.1, OTHER: 0.3}, {OTHER: 1.0}),
        ({RUST: 0.1}, {CLASSES + NO_LEAF: 1.0}),
    ],
    ids=str,
)
def test_a_made_tile_is_called_by_what_covers_it(shares: dict[int, float], expected: dict[int, float]) -> None:
    assert labels_of_tile(LeafTile(PICTURE, shares, lamps=False), CLASSES, HEALTHY) == pytest.approx(expected)


def some_shows(*, of_leaves: bool = True) -> Shows:
    rng = np.random.default_rng(0)
    files = tuple(LabelledFile(Path(f"{n}.jpg"), n % 3, n % 2) for n in range(60))
    pixels = rng.integers(0, 256, (60, VARIANTS, EDGE, EDGE, 3)).astype(np.uint8)
    examples = Examples(pixels, np.array([file.label for file in files]), files)
    return Shows(examples, np.arange(40), {HEAD: CLASSES + 3, CROP_HEAD: CROPS}, 1, Made(HEALTHY, of_leaves=of_leaves))


def test_the_same_number_is_the_same_show() -> None:
    first, again = some_shows(), some_shows()
    for number in range(len(first)):
        one, other = first.show(2, number), again.show(2, number)
        assert np.array_equal(one.picture, other.picture)
        assert (one.labels, one.crop) == (other.labels, other.crop)


def test_a_batch_has_a_target_for_each_head_and_every_kind_is_shown() -> None:
    made = some_shows()
    pictures, targets = made.batch(0, np.arange(len(made)))
    assert pictures.shape == (len(made), EDGE, EDGE, 3)
    assert targets[HEAD].sum(axis=1) == pytest.approx(1)
    assert set(np.round(targets[CROP_HEAD].sum(axis=1), 5)) == {0.0, 1.0}, "blurred ones say nothing of the crop"
    best = Counter(targets[HEAD].argmax(axis=1).tolist())
    assert set(best) == {HEALTHY, RUST, OTHER, CLASSES + 1, CLASSES + 2}


def test_nothing_is_shown_of_what_is_held_out() -> None:
    made = some_shows()
    made.examples.pixels[40:] = 255
    assert all(made.show(0, number).picture.std() > 1 for number in range(len(made.train)))


def test_cut_outs_of_a_canopy_are_not_taken_for_pictures_without_a_leaf() -> None:
    made, of_leaves = some_shows(of_leaves=False), some_shows()
    assert len(made) < len(of_leaves)
    _, targets = made.batch(0, np.arange(len(made)))
    no_leaf = (targets[HEAD].argmax(axis=1) == CLASSES + NO_LEAF).sum()
    assert no_leaf == round(shows.JUNK * 40)


def test_all_classes_of_a_crop_are_laid_on_other_grounds_alike() -> None:
    apple, cherry = 0, 1
    masks = {(apple, HEALTHY): 0.0, (apple, RUST): 0.8, (cherry, HEALTHY): 1.0, (cherry, RUST): 0.5}
    chances = chances_to_paste(masks)
    assert chances[apple, RUST] == 0, "or another ground would be a sign of rust"
    assert chances[cherry, HEALTHY] == pytest.approx(shows.PASTED / 2)
    assert chances[cherry, RUST] == pytest.approx(shows.PASTED)


def test_pictures_without_a_leaf_are_no_crop_and_lie_in_no_tile() -> None:
    made = some_shows()
    made.examples.labels[::3] = CLASSES + NO_LEAF
    made.examples.pixels[::3] = 255
    made = replace(made)
    for number in range(len(made)):
        show = made.show(0, number)
        if show.picture.std() < 1 and number < len(made.train):
            assert (dict(show.labels), show.crop) == ({CLASSES + NO_LEAF: 1.0}, ANY_CROP)
    leaves = {made._chosen_leaf(np.random.default_rng(seed)) for seed in range(100)}
    assert leaves
    assert not leaves & set(range(0, 60, 3))


def test_there_is_no_show_behind_the_last() -> None:
    made = some_shows()
    with pytest.raises(IndexError):
        made.show(0, len(made))
