"""The leaf of a picture on a plain ground."""

import numpy as np
import pytest
from PIL import Image

from tests.unit.training.scenes.leaf_pictures import EDGE, leaf_on, overlap, table
from worker.training.scenes.mask import leaf_mask


@pytest.mark.parametrize(
    ("ground", "leaf"),
    [
        ((150, 144, 152), (60, 110, 50)),  # a grey table
        ((150, 144, 152), (190, 160, 60)),  # and a leaf that turns yellow
        ((235, 234, 236), (70, 90, 60)),  # paper
        ((0, 0, 0), (110, 140, 90)),  # cut out
        ((110, 120, 170), (60, 110, 50)),  # blue cloth
    ],
)
def test_a_leaf_on_a_plain_ground_is_found(ground: tuple[int, int, int], leaf: tuple[int, int, int]) -> None:
    picture, mask = leaf_on(table(colour=ground), colour=leaf)
    found = leaf_mask(picture)
    assert found is not None
    assert found.shape == mask.shape
    assert found.dtype == np.bool_
    assert overlap(found, mask) > 0.95


def test_its_shadow_is_no_leaf() -> None:
    picture, mask = leaf_on(table(), shadow=True)
    found = leaf_mask(picture)
    assert found is not None
    assert overlap(found, mask) > 0.93


def test_a_stain_of_the_table_beside_it_is_no_leaf() -> None:
    ground = table()
    ground[60:160, 20:75] = ground[60:160, 20:75] + np.array([6, 4, -14], np.int16)
    picture, mask = leaf_on(ground)
    found = leaf_mask(picture)
    assert found is not None
    assert overlap(found, mask) > 0.95


def test_a_white_spot_is_leaf_and_the_light_may_change_across() -> None:
    picture, mask = leaf_on(table())
    spotted = picture.copy()
    spotted[100:118, 104:122] = table()[0, 0]
    found = leaf_mask(spotted)
    assert found is not None
    assert found[100:118, 104:122].all()
    assert overlap(found, mask) > 0.95


@pytest.mark.parametrize("size", [(64, 64), (150, 300), (900, 600), (16, 40)])
def test_the_mask_has_the_size_of_its_picture(size: tuple[int, int]) -> None:
    picture, mask = leaf_on(table(size))
    found = leaf_mask(picture)
    assert found is not None
    assert found.shape == size
    assert overlap(found, mask) > 0.85


def test_what_is_not_believable_has_no_mask() -> None:
    rng = np.random.default_rng(0)
    field = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    pictures = {
        "a field": np.asarray(Image.fromarray(field).resize((EDGE, EDGE), Image.Resampling.BICUBIC)),
        "a table alone": table(),
        "a leaf that fills it": np.full((EDGE, EDGE, 3), (60, 110, 50), np.uint8),
        "a leaf on leaves": leaf_on(table(colour=(70, 120, 60)), colour=(150, 170, 90))[0],
        "noise": rng.integers(0, 256, (EDGE, EDGE, 3), dtype=np.uint8),
        "a page of lines": np.where(np.arange(EDGE)[:, None, None] // 6 % 2, table(), table() // 4),
        "too small": table((15, 200)),
    }
    assert {name for name, picture in pictures.items() if leaf_mask(picture) is not None} == set()


def test_several_leaves_have_no_mask() -> None:
    left, right = leaf_on(table((EDGE, 112)))[0], leaf_on(table((EDGE, 112)))[0]
    assert leaf_mask(np.concatenate([left, right], axis=1)) is None
