"""The shipped classifier in tiles, on a few sheets; ``make evaluate`` has the whole table."""

from pathlib import Path

import numpy as np
import pytest

from shared.contracts.manifest import ReviewReason
from tests.benchmarks.tile_accuracy import (
    CLASSES,
    EDGE,
    SICK,
    aligned_sheet,
    by_class,
    learned_edge,
    photographs,
    read_leaf,
    read_pixels,
)
from worker.inference.classifier import Classifier
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.runtime import open_classifier
from worker.inference.tiles.tile_cut import TileCut
from worker.training.dataset import labelled_files
from worker.training.sheets import Leaf, Shake, regions
from worker.training.tiles import answer_in_tiles, judge_sheets


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return open_classifier(shipped_classifier_dir(), batch_size=16)


@pytest.fixture(scope="module")
def validation(data: Path) -> list[Leaf]:
    return [read_leaf(file) for file in labelled_files([data / "leaves/apple-field/validation"], CLASSES)]


def test_an_aligned_sheet_is_read_tile_by_tile(shipped: Classifier, data: Path, validation: list[Leaf]) -> None:
    grounds = [read_pixels(data / "drone/caliterra/IMG_9354.jpg")]
    judged = judge_sheets(shipped, [aligned_sheet(validation, grounds, np.random.default_rng(1))], EDGE)
    assert judged.right(judged.is_leaf) >= 0.97
    assert judged.counted(judged.is_leaf) >= 0.85
    assert judged.called(SICK, judged.is_ground) <= 0.1  # The worst of the photographs; over all, see make evaluate.


def test_a_sheet_that_fits_no_tile_is_read_nearly_as_well(shipped: Classifier, validation: list[Leaf]) -> None:
    rng = np.random.default_rng(5)
    shake = Shake(degrees=33.0, scale=0.8, left=40, top=-70)
    sheet = regions(by_class(validation), (), rng, size=1792, edge=EDGE, region=4, shake=shake)
    judged = judge_sheets(shipped, [sheet], EDGE)
    assert judged.right(judged.is_leaf) >= 0.93
    assert judged.counted(judged.is_leaf) >= 0.5
    assert judged.called(SICK, judged.truth == 0) <= 0.05


def test_single_leaves_in_full_size_are_read_in_tiles_of_the_learned_millimetres(
    shipped: Classifier, data: Path
) -> None:
    for label, name in (("powdery_mildew", "9c1e3a3aa68c7971.jpg"), ("rust", "860a8fbf3c6c00fd.jpg")):
        photograph = (data / "leaves-full-size" / label / name).read_bytes()
        (answer,) = answer_in_tiles(shipped, [photograph], TileCut(learned_edge()))
        assert answer.label == label


def test_purple_lamps_are_no_light_that_was_learned(shipped: Classifier, data: Path) -> None:
    answers = answer_in_tiles(shipped, [p.read_bytes() for p in photographs(data / "greenhouse")], TileCut(EDGE))
    assert sum(answer.review_reason is ReviewReason.UNUSUAL_LIGHT for answer in answers) >= len(answers) - 1
    assert not any(answer.label for answer in answers)


def test_the_manifest_has_the_tiles_that_were_measured() -> None:
    tiling = read_manifest(shipped_classifier_dir()).tiling
    assert tiling is not None
    assert (tiling.edge, tiling.ground_resolution_mm) == (EDGE, (0.27, 0.64))
    assert tiling.light is not None
