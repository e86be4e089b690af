"""The plan of a photograph's tiles: what its job asks for, what the manifest has learned, and what the head says."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.manifest import Manifest, ManifestTiling
from shared.contracts.pose import Pose
from shared.contracts.states import ImageErrorCode
from shared.contracts.tiling import MAX_EDGE_MM, MIN_GROUND_RESOLUTION_MM
from shared.tiles.plan import TilePlan, TilePlanner

SIZE = (4000, 3000)
AT_30_M = Pose(relative_altitude_m=30.0, focal_length_px=3000.0)  # 10 mm a pixel
LEARNED = ManifestTiling(edge=500, overlap=0.2, ground_resolution_mm=(0.1, 0.9))


def planner(
    tiling: dict[str, Any] | str,
    learned: ManifestTiling | None = None,
    **how: Any,  # noqa: ANN401  # its fields
) -> TilePlanner:
    manifest = Manifest.model_validate(
        {
            "name": "leaf", "version": "1", "sha256": "ab" * 32, "input_size": [224, 224],
            "classes": [{"id": "healthy"}, {"id": "rust"}], "tiling": learned,
        }
    )  # fmt: skip
    given = {"on_coarse": None, "ground_resolution_mm": None, "max_tiles": 4096, **how}
    return TilePlanner.of(tiling, manifest=manifest, **given)


def test_auto_is_what_the_manifest_says() -> None:
    assert planner("auto", LEARNED).plan(SIZE, Pose()) == TilePlan(500, 10 * 8)


@pytest.mark.parametrize(("resolution_mm", "edge"), [(0.04, 2000), (0.16, 500), (0.4, 200), (0.01, 4000)])
def test_auto_takes_tiles_that_show_what_was_learned(resolution_mm: float, edge: int) -> None:
    learned = LEARNED.model_copy(update={"edge_mm": 80.0})
    assert planner("auto", learned, ground_resolution_mm=resolution_mm).plan(SIZE, Pose()).edge == edge
    assert planner("auto", learned).plan(SIZE, Pose()).edge == LEARNED.edge
    assert planner({"edge": 300}, learned, ground_resolution_mm=resolution_mm).plan(SIZE, Pose()).edge == 300


def test_the_gate_needs_a_range_in_the_manifest() -> None:
    plan = planner({"edge": 1000, "overlap": 0.0}).plan(SIZE, AT_30_M)
    assert (plan.tiles, plan.ground_resolution_mm, plan.is_too_coarse) == (12, 10.0, False)


@pytest.mark.parametrize(("on_coarse", "tiles"), [(None, 1), ("skip", 1), ("answer", 80)])
def test_a_coarse_photograph_is_one_unit_of_work_unless_it_is_answered(on_coarse: str | None, tiles: int) -> None:
    plan = planner("auto", LEARNED, on_coarse=on_coarse).plan(SIZE, AT_30_M)
    assert (plan.edge, plan.tiles, plan.is_too_coarse, plan.refused) == (500, tiles, True, None)


def test_what_the_job_says_of_its_resolution_holds_for_files_that_cannot_be_read() -> None:
    plan = planner("auto", LEARNED, ground_resolution_mm=1.0).plan(None, Pose())
    assert (plan.tiles, plan.is_too_coarse, plan.ground_resolution_mm) == (1, True, 1.0)


def test_tiles_in_millimetres() -> None:
    cut = planner({"edge_mm": 5000.0, "overlap": 0.0})
    assert cut.plan(SIZE, AT_30_M).edge == 500
    assert cut.plan(SIZE, Pose()).refused is ImageErrorCode.GROUND_RESOLUTION_UNKNOWN
    assert cut.plan(None, Pose()) == TilePlan(None)  # Its decoder says what is wrong.


def test_tiles_that_would_be_too_small_are_too_coarse() -> None:
    plan = planner({"edge_mm": 80.0, "overlap": 0.0}).plan(SIZE, AT_30_M)
    assert (plan.edge, plan.tiles, plan.is_too_coarse) == (32, 1, True)
    answered = planner({"edge_mm": 80.0, "overlap": 0.0}, on_coarse="answer", max_tiles=20_000).plan(SIZE, AT_30_M)
    assert (answered.edge, answered.tiles, answered.is_too_coarse) == (32, 125 * 94, True)


def test_too_many_tiles_are_refused_in_words() -> None:
    plan = planner({"edge": 32, "overlap": 0.5}, max_tiles=4096).plan(SIZE, Pose())
    assert plan.refused is ImageErrorCode.TOO_MANY_TILES
    assert plan.detail is not None
    assert "4000 x 3000 pixels has 46,563 tiles of 32 pixels, at most 4,096" in plan.detail
    assert planner({"edge": 32, "overlap": 0.5}).plan((2**31 - 1, 2**31 - 1), Pose()).tiles == 2**31 - 1


@pytest.mark.parametrize(
    ("tiling", "learned", "limit"),
    [
        ("auto", LEARNED, 0.9),
        ("auto", ManifestTiling(), None),
        ({"edge_mm": 63.0, "overlap": 0.0}, LEARNED, 0.9),
        ({"edge_mm": 12.6, "overlap": 0.0}, LEARNED, 0.4),
        ({"edge_mm": 12.6, "overlap": 0.0}, None, 0.4),
    ],
)
def test_the_largest_pixel_is_that_of_the_manifest_or_of_the_tiles(
    tiling: dict[str, Any] | str, learned: ManifestTiling | None, limit: float | None
) -> None:
    assert planner(tiling, learned).limit_mm == (None if limit is None else pytest.approx(limit))


def test_an_edge_in_pixels_can_always_be_stored() -> None:
    finest = planner({"edge_mm": MAX_EDGE_MM, "overlap": 0.0}, ground_resolution_mm=MIN_GROUND_RESOLUTION_MM)
    edge = finest.plan(None, Pose()).edge
    assert edge is not None
    assert edge < 2**31
    low = planner({"edge_mm": MAX_EDGE_MM, "overlap": 0.0}).plan(
        SIZE, Pose(relative_altitude_m=1e-9, focal_length_px=1e6)
    )
    assert low.refused is ImageErrorCode.GROUND_RESOLUTION_UNKNOWN


@pytest.mark.parametrize(
    "tiling",
    [
        {"ground_resolution_mm": (0.9, 0.1)},
        {"ground_resolution_mm": (0.0, 0.9)},
        {"ground_resolution_mm": (0.1, math.nan)},
        {"edge_mm": math.inf},
        {"report_from": 0},
        {"light": {"red": (0.5, 0.2), "green": (0, 1), "blue": (0, 1), "violet": 1}},
        {"light": {"red": (0.1, math.nan), "green": (0, 1), "blue": (0, 1), "violet": 1}},
    ],
)
def test_a_manifest_with_ranges_that_nothing_can_be_in_is_refused(tiling: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ManifestTiling.model_validate(tiling)


def test_a_height_is_asked_for_where_the_height_is_missing() -> None:
    cut = planner({"edge_mm": 80.0, "overlap": 0.0})
    asks = "height_above_ground"
    assert asks in str(cut.plan(SIZE, Pose(focal_length_px=3000.0)).detail)
    assert asks not in str(cut.plan(SIZE, Pose(), height_above_ground=2.0).detail)
