"""Sums of a map that people corrected."""

from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import TileSkip
from shared.summaries.recounting import corrected_sums
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap

LABELS = ("healthy", "rust")
MAP = TileMap.of(
    lay_grid(400, 100, 100),
    [Tile(0, 0.9), Tile(1, 0.8), Tile(1, 0.4, ReviewReason.BLURRED), Tile(skipped=TileSkip.TOO_COARSE)],
)


def test_without_a_correction_they_are_those_of_the_map() -> None:
    own = {"labels": {"healthy": 1, "rust": 1}, "review": {"blurred": 1}, "skipped": {"too_coarse": 1}}
    assert corrected_sums(MAP, LABELS, {}, None) == own


def test_a_corrected_tile_counts_whatever_it_was() -> None:
    seen = corrected_sums(MAP, LABELS, {0: "rust", 2: "mildew", 3: "healthy"}, None)
    assert seen == {"labels": {"rust": 2, "mildew": 1, "healthy": 1}, "review": {}, "skipped": {}}


def test_a_corrected_photograph_lends_its_label_to_the_other_tiles_that_count() -> None:
    seen = corrected_sums(MAP, LABELS, {2: "rust"}, "healthy")
    assert seen == {"labels": {"healthy": 2, "rust": 1}, "review": {}, "skipped": {"too_coarse": 1}}


def test_a_tile_that_shows_no_leaf_is_neither_healthy_nor_diseased() -> None:
    own = corrected_sums(MAP, LABELS, {}, None)
    seen = corrected_sums(MAP, LABELS, {0: "not_a_leaf"}, None)
    assert sum(seen["labels"].values()) == sum(own["labels"].values()) - 1
    assert seen["review"].get("not_a_leaf", 0) == own["review"].get("not_a_leaf", 0) + 1
