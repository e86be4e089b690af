"""Options of a submission as the journal keeps them."""

from __future__ import annotations

from phytobatch.submission.submit import Options
from phytobatch.tiles.settings import TileSettings
from phytobatch.tiles.tiling import Tiling


def test_a_submission_goes_on_with_the_same_tiles_alone() -> None:
    plain, tiled = Options(), Options(tiles=TileSettings(Tiling(edge=256), "answer", 0.5))
    assert tiled.to_json() == {
        **plain.to_json(),
        "tiling": {"edge": 256, "overlap": 0.0},
        "on_coarse": "answer",
        "ground_resolution_mm": 0.5,
    }
    assert tiled.to_json() != Options(tiles=TileSettings(Tiling(edge=256, overlap=0.1), "answer", 0.5)).to_json()


def test_a_journal_of_an_older_version_is_one_without_tiles() -> None:
    assert "tiling" not in Options().to_json()
