"""The light of a training."""

import numpy as np
import pytest

from shared.contracts.manifest import LearnedLight
from worker.inference.tiles.light import is_learned, light_of
from worker.training.light import learned_light, of_another_day


def test_the_light_of_a_training_holds_nearly_all_of_its_pictures() -> None:
    rng = np.random.default_rng(1)
    colours = rng.normal((90, 120, 60), 12, (400, 3)).clip(1, 255).astype(np.uint8)
    pictures = [np.full((4, 4, 3), colour, np.uint8) for colour in colours]
    learned = learned_light(pictures)
    assert np.mean([is_learned(light_of(picture), learned) for picture in pictures]) > 0.97
    assert not is_learned(light_of(np.full((4, 4, 3), (150, 60, 140), np.uint8)), learned)
    assert learned.green[0] == pytest.approx(0.35, abs=0.05)


def test_one_odd_picture_of_a_thousand_does_not_widen_the_violet_part() -> None:
    leaf, lamp = np.full((4, 4, 3), (90, 120, 60), np.uint8), np.full((4, 4, 3), (90, 60, 120), np.uint8)
    assert learned_light([leaf] * 999 + [lamp]).violet == 0


def test_the_light_of_another_day_is_wider_and_stays_a_share() -> None:
    light = LearnedLight(red=(0.4, 0.5), green=(0.2, 0.98), blue=(0.0, 0.2), violet=0.99)
    wider = of_another_day(light)
    assert wider.red == pytest.approx((0.4 * 0.92, 0.5 * 1.08), abs=0.001)
    assert (wider.green[1], wider.blue[0], wider.violet) == (1.0, 0.0, 1.0)
