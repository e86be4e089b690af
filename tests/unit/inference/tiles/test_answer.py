from collections.abc import Callable

import pytest

from shared.contracts.manifest import ClassLabel, Manifest, ManifestTiling, ReviewReason
from shared.contracts.states import ImageErrorCode
from shared.contracts.tiles import TileSkip
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits
from worker.inference.tiles.answer import TiledAnswer, answer_of, answer_of_skipped
from worker.inference.tiles.tile_cut import TileCut

HEALTHY, MILDEW, RUST = 0, 1, 2
BAD_LIGHT = Tile(RUST, 0.9, ReviewReason.UNUSUAL_LIGHT)
NO_LEAF = Tile(HEALTHY, 0.9, ReviewReason.NOT_A_LEAF)
BLURRED = Tile(HEALTHY, 0.9, ReviewReason.BLURRED)
SKIPPED = Tile(skipped=TileSkip.NO_DATA)


@pytest.fixture
def manifest(make_manifest: Callable[..., Manifest]) -> Manifest:
    classes = (ClassLabel(id="healthy", names={"es": "sana"}), ClassLabel(id="mildew"), ClassLabel(id="rust"))
    return make_manifest(classes=classes, tiling=ManifestTiling(report_from=0.1, min_tiles=4))


def answered(manifest: Manifest, *tiles: Tile, is_coarse: bool = False) -> TiledAnswer:
    return answer_of(TileMap.of(lay_grid(len(tiles) * 32, 32, 32), tiles), manifest, is_coarse=is_coarse)


def counted(label: int, count: int, confidence: float = 0.9) -> list[Tile]:
    return [Tile(label, confidence)] * count


@pytest.mark.parametrize(
    ("tiles", "label", "reason"),
    [
        (counted(HEALTHY, 4), "healthy", None),
        (counted(HEALTHY, 3), None, ReviewReason.TOO_FEW_TILES),
        (counted(HEALTHY, 27) + counted(RUST, 3), "rust", None),
        (counted(HEALTHY, 28) + counted(RUST, 3), "healthy", None),
        (counted(HEALTHY, 6) + counted(RUST, 2) + counted(MILDEW, 2), "mildew", None),
        (counted(RUST, 1), "rust", None),
        ([*counted(HEALTHY, 4), *[NO_LEAF] * 90], "healthy", None),
        ([*counted(HEALTHY, 3), *[NO_LEAF] * 4], None, ReviewReason.NO_LEAF),
        ([*counted(HEALTHY, 3), *[NO_LEAF] * 3], None, ReviewReason.TOO_FEW_TILES),
        ([*[BAD_LIGHT] * 5, *[NO_LEAF] * 4], None, ReviewReason.UNUSUAL_LIGHT),
        ([*[BAD_LIGHT] * 2, *[NO_LEAF] * 3, SKIPPED, SKIPPED], None, ReviewReason.NO_LEAF),
        ([BLURRED] * 9, None, ReviewReason.TOO_FEW_TILES),
    ],
)
def test_the_rule(manifest: Manifest, tiles: list[Tile], label: str | None, reason: ReviewReason | None) -> None:
    answer = answered(manifest, *tiles)
    assert (answer.label, answer.review_reason, answer.needs_review) == (label, reason, reason is not None)
    assert answer.sums.total == len(tiles)


@pytest.mark.parametrize("label", [HEALTHY, RUST])
def test_a_few_odd_tiles_are_no_evidence(make_manifest: Callable[..., Manifest], label: int) -> None:
    classes = (ClassLabel(id="healthy"), ClassLabel(id="mildew"), ClassLabel(id="rust"))
    manifest = make_manifest(classes=classes, tiling=ManifestTiling(min_tiles=2, min_share=0.1))
    assert answered(manifest, *counted(label, 10), *[NO_LEAF] * 90, *[SKIPPED] * 50).label == classes[label].id
    few = answered(manifest, *counted(label, 9), *[NO_LEAF] * 90)
    assert (few.label, few.review_reason) == (None, ReviewReason.NO_LEAF)


def test_the_confidence_is_the_mean_of_the_counted_tiles_that_carry_the_label(manifest: Manifest) -> None:
    tiles = [*counted(HEALTHY, 5, 0.99), Tile(RUST, 0.7), Tile(RUST, 0.9), Tile(RUST, 0.1, ReviewReason.BLURRED)]
    answer = answered(manifest, *tiles)
    assert answer.label == "rust"
    assert answer.confidence == pytest.approx(0.8, abs=1e-5)
    assert answered(manifest, BLURRED).confidence is None


def test_names_come_with_a_label(manifest: Manifest) -> None:
    assert answered(manifest, *counted(HEALTHY, 4)).label_names == {"es": "sana"}
    assert answered(manifest, BLURRED).label_names == {}


def test_a_coarse_photograph_is_answered_and_asks_for_a_person(manifest: Manifest) -> None:
    answer = answered(manifest, *counted(RUST, 9), is_coarse=True)
    assert (answer.label, answer.review_reason) == ("rust", ReviewReason.TOO_COARSE)
    assert answered(manifest, BLURRED, is_coarse=True).review_reason is ReviewReason.TOO_COARSE


def test_a_skipped_photograph_has_no_label(manifest: Manifest) -> None:
    answer = answer_of_skipped(4000, 3000, TileCut(1000), manifest)
    assert (answer.label, answer.review_reason) == (None, ReviewReason.TOO_COARSE)
    assert answer.sums.skipped == {TileSkip.TOO_COARSE: 12}
    with pytest.raises(ImageError, match="limit of 11"):
        answer_of_skipped(4000, 3000, TileCut(1000), manifest, limits=PictureLimits(tiles=11))


def test_a_classifier_that_knows_no_healthy_plant_calls_nothing_healthy(make_manifest: Callable[..., Manifest]) -> None:
    manifest = make_manifest(tiling=ManifestTiling(report_from=0.6, min_tiles=2))
    answer = answered(manifest, *counted(0, 5), *counted(1, 5))
    assert (answer.label, answer.review_reason) == (None, ReviewReason.TOO_FEW_TILES)


def test_a_manifest_without_tiling_has_the_defaults(make_manifest: Callable[..., Manifest]) -> None:
    classes = (ClassLabel(id="healthy"), ClassLabel(id="rust"))
    assert answered(make_manifest(classes=classes), *counted(0, 4)).label == "healthy"


def test_too_many_tiles_are_refused_in_words(manifest: Manifest) -> None:
    with pytest.raises(ImageError) as caught:
        answer_of_skipped(8000, 6000, TileCut(224, 0.5), manifest, limits=PictureLimits(tiles=1000))
    assert caught.value.code is ImageErrorCode.TOO_MANY_TILES
    assert caught.value.detail == (
        "The picture of 8000 x 6000 pixels has 3763 tiles of 224 pixels that share 0.5 of an edge, more than the limit "
        "of 1000; take larger tiles or less overlap."
    )
