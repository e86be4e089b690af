"""How often each picture is shown in a training, and what the network is told of it."""

import numpy as np
import pytest

from worker.training.dataset import NO_CROP
from worker.training.fit import LABEL_SMOOTHING, Shown, shares_of_shows
from worker.training.network import CROP_HEAD, HEAD

PICTURE = np.zeros((2, 2, 3), np.uint8)


def test_pictures_of_a_small_set_are_shown_more_often() -> None:
    labels = np.array([0] * 90 + [0] * 10)
    crops = np.array([0] * 90 + [1] * 10)
    shares = shares_of_shows(labels, crops)
    assert shares.sum() == pytest.approx(1)
    assert shares[crops == 1].sum() / shares[crops == 0].sum() == pytest.approx((10 / 90) ** 0.5)


def test_the_target_of_a_class_is_smoothed_and_that_of_a_crop_is_not() -> None:
    shown = Shown(PICTURE, label=1, crop=2)
    classes, crops = shown.target(HEAD, 5), shown.target(CROP_HEAD, 3)
    assert classes.sum() == pytest.approx(1)
    assert classes[1] == pytest.approx(1 - LABEL_SMOOTHING + LABEL_SMOOTHING / 5)
    assert crops.tolist() == [0, 0, 1]


def test_nothing_is_learned_of_a_crop_that_nobody_named() -> None:
    assert not Shown(PICTURE, label=1, crop=NO_CROP).target(CROP_HEAD, 3).any()
