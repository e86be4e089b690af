"""Pictures as tiles of a larger photograph would show them, and their truth."""

import numpy as np
import pytest

from tests.unit.training.scenes.leaf_pictures import GREEN, leaf_on, table
from worker.training.scenes import tile as module
from worker.training.scenes.tile import Leaf, LeafTile, count_of_leaves, leaf_tile

GROUND = np.full((224, 224, 3), (150, 120, 200), np.uint8)
BLUE = (30, 60, 230)
PICTURE, MASK = leaf_on(table())
OTHER, _ = leaf_on(table(), colour=BLUE)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lies about, and no light changes the colours."""
    monkeypatch.setattr(module, "UNDER", ())
    for chance in ("HANDS", "SHADOWS", "DROPS", "LAMPS", "LEAF_SHADOWS"):
        monkeypatch.setattr(module, chance, 0.0)


def is_colour(made: LeafTile[str], colour: tuple[int, int, int]) -> float:
    return float((np.abs(made.pixels.astype(int) - colour).max(axis=-1) < 25).mean())


@pytest.mark.usefixtures("bare")
def test_shares_are_what_the_picture_shows() -> None:
    found = []
    for seed in range(40):
        leaves = [Leaf(PICTURE, MASK), Leaf(OTHER, MASK)]
        made = leaf_tile(leaves, ["rust", "healthy"], GROUND, np.random.default_rng(seed))
        assert made.pixels.shape == GROUND.shape
        for label, colour in (("rust", GREEN), ("healthy", BLUE)):
            assert made.shares.get(label, 0.0) == pytest.approx(is_colour(made, colour), abs=0.03)
        assert made.leaf_share == pytest.approx(sum(made.shares.values()))
        found.append(made.leaf_share)
    assert min(found) < 0.15
    assert max(found) > 0.6


@pytest.mark.usefixtures("bare")
def test_leaves_are_half_to_twice_as_large_as_their_picture_shows_them() -> None:
    # Middles in the middle: nothing is cut by an edge below the scale of 1.
    areas = []
    for seed in range(200):
        made = leaf_tile([Leaf(PICTURE, MASK)], ["rust"], GROUND, np.random.default_rng(seed))
        areas.append(made.leaf_share / MASK.mean())
    assert max(areas) > 1.5  # cut by an edge, so never four times
    assert 0.2 < np.quantile(areas, 0.3) < 0.6


@pytest.mark.usefixtures("bare")
def test_equal_labels_are_added_up_and_what_is_hidden_is_not_named() -> None:
    for seed in range(20):
        made = leaf_tile([Leaf(PICTURE, MASK)] * 3, ["rust"] * 3, GROUND, np.random.default_rng(seed))
        assert set(made.shares) <= {"rust"}
        assert made.leaf_share == pytest.approx(is_colour(made, GREEN), abs=0.03)
        assert made.leaf_share <= 1


@pytest.mark.usefixtures("bare")
def test_a_picture_without_a_mask_counts_as_a_whole_and_may_fill_the_tile() -> None:
    field = np.full((224, 224, 3), GREEN, np.uint8)
    shares = [
        leaf_tile([Leaf(field)], ["rust"], GROUND, np.random.default_rng(seed)).shares.get("rust", 0.0)
        for seed in range(60)
    ]
    assert shares.count(1.0) > 8
    assert min(shares) < 0.3


@pytest.mark.usefixtures("bare")
def test_a_tile_of_little_leaf_is_ground() -> None:
    made = [leaf_tile([Leaf(PICTURE, MASK)], [1], GROUND, np.random.default_rng(seed)) for seed in range(60)]
    assert {one.is_ground for one in made} == {True, False}
    assert all(one.is_ground == (one.leaf_share < 0.15) for one in made)
    assert leaf_tile([], [], GROUND, np.random.default_rng(1)).is_ground


def test_hands_hide_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    field = np.full((224, 224, 3), GREEN, np.uint8)
    shares = []
    for chance in (0.0, 1.0):
        monkeypatch.setattr(module, "HANDS", chance)
        made = (leaf_tile([Leaf(field)], ["rust"], GROUND, np.random.default_rng(seed)) for seed in range(30))
        shares.append(np.mean([one.leaf_share for one in made]))
    assert shares[1] < shares[0] - 0.03


def test_lamps_are_named_and_change_the_light() -> None:
    made = [leaf_tile([Leaf(PICTURE, MASK)], ["rust"], GROUND, np.random.default_rng(seed)) for seed in range(400)]
    lit = [one for one in made if one.lamps]
    assert len(lit) / len(made) == pytest.approx(module.LAMPS, abs=0.03)
    channels = np.array([one.pixels.mean(axis=(0, 1)) / one.pixels.mean() for one in made])
    lamps = np.array([one.lamps for one in made])
    # Purple ones leave little green, amber ones little blue.
    assert channels[lamps, 1].min() < channels[~lamps, 1].min()
    assert channels[lamps, 2].min() < channels[~lamps, 2].min()


def test_callers_arrays_stay_and_a_seed_repeats_the_tile() -> None:
    before = GROUND.copy(), PICTURE.copy(), MASK.copy()
    made = [
        leaf_tile([Leaf(PICTURE, MASK), Leaf(OTHER)], ["a", "b"], GROUND, np.random.default_rng(seed))
        for seed in (*range(30), 7)
    ]
    assert all((a == b).all() for a, b in zip(before, (GROUND, PICTURE, MASK), strict=True))
    assert (made[-1].pixels == made[7].pixels).all()
    assert made[-1].shares == made[7].shares
    assert len({one.pixels.tobytes() for one in made}) == 30


def test_leaves_of_any_size_and_tiles_of_256_pixels() -> None:
    ground = np.zeros((256, 256, 3), np.uint8)
    for size in ((20, 30), (600, 90), (1000, 1400)):
        picture, mask = leaf_on(table(size))
        for leaf in (Leaf(picture, mask), Leaf(picture)):
            assert leaf_tile([leaf], [0], ground, np.random.default_rng(2)).pixels.shape == (256, 256, 3)


def test_one_to_six_leaves_are_drawn() -> None:
    rng = np.random.default_rng(1)
    counts = [count_of_leaves(rng) for _ in range(600)]
    assert set(counts) == {1, 2, 3, 4, 5, 6}
    assert np.mean(counts) < 3.2
