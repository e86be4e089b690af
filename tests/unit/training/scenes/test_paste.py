"""A leaf on another ground, and its own ground without it."""

import numpy as np

from tests.unit.training.scenes.leaf_pictures import EDGE, GREEN, TABLE, leaf_on, table
from worker.training.scenes.mask import leaf_mask
from worker.training.scenes.paste import ground_alone, pasted

RED = np.full((EDGE, EDGE, 3), (180, 60, 40), np.uint8)


def test_the_leaf_stays_and_the_ground_is_another() -> None:
    picture, mask = leaf_on(table())
    made = pasted(picture, mask, RED, np.random.default_rng(1))
    assert made.shape == picture.shape
    assert made.dtype == np.uint8
    middle = slice(80, 140), slice(90, 130)
    assert (made[middle] == np.array(GREEN)).all()
    far = slice(0, 16), slice(0, 16)
    assert (made[far] == RED[far]).all()


def test_nothing_of_the_old_ground_is_taken_along() -> None:
    picture, mask = leaf_on(table())
    for seed in range(8):
        made = pasted(picture, mask, RED, np.random.default_rng(seed)).astype(int)
        # Each pixel lies between leaf, ground and shadow, none of which is blue as the table is.
        assert made[..., 2].max() <= max(GREEN[2], 40) + 8


def test_the_shadow_is_slight_and_falls_on_the_ground() -> None:
    picture, mask = leaf_on(table())
    made = [pasted(picture, mask, RED, np.random.default_rng(seed))[..., 0] for seed in range(20)]
    darkest = [int(one[~mask].min()) for one in made]
    assert min(darkest) < 150
    assert min(darkest) > 40


def test_a_ground_of_another_size_is_taken_and_the_callers_arrays_stay() -> None:
    picture, mask = leaf_on(table((200, 300)))
    ground = RED[:64, :80].copy()
    before = picture.copy(), mask.copy(), ground.copy()
    assert pasted(picture, mask, ground, np.random.default_rng(1)).shape == picture.shape
    assert all((a == b).all() for a, b in zip(before, (picture, mask, ground), strict=True))


def test_the_ground_alone_shows_no_leaf_and_no_shadow() -> None:
    picture, mask = leaf_on(table(), shadow=True)
    alone = ground_alone(picture, mask, np.random.default_rng(1))
    assert alone.shape == picture.shape
    assert np.abs(alone[mask].mean(axis=0) - np.array(TABLE)).max() < 6
    assert alone[mask].min() > 90
    assert leaf_mask(alone) is None


def test_the_ground_alone_keeps_its_texture_and_its_light() -> None:
    picture, mask = leaf_on(table())
    alone = ground_alone(picture, mask, np.random.default_rng(1)).astype(np.float64)
    inside, outside = alone[80:140, 90:130], alone[80:140, 5:45]
    assert inside.std() > 0.6 * outside.std()
    assert alone[80:140, 140:155].mean() > alone[80:140, 70:85].mean()


def test_a_leaf_that_hides_everything_leaves_no_ground() -> None:
    picture = np.full((EDGE, EDGE, 3), GREEN, np.uint8)
    assert ground_alone(picture, np.ones((EDGE, EDGE), bool), np.random.default_rng(1)) is picture


def test_the_same_seed_makes_the_same_pictures() -> None:
    picture, mask = leaf_on(table())
    for make in (pasted_on_red, ground_alone):
        first, again, other = (make(picture, mask, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()


def pasted_on_red(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    rng: np.random.Generator,
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return pasted(picture, mask, RED, rng)
