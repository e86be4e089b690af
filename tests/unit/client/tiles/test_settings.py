"""What a job says of tiles, and what is said about it before anything is sent."""

from __future__ import annotations

import pytest

from phytobatch.errors import ConfigurationError
from phytobatch.resources import Classifier, ClassifierRef, LearnedTiling
from phytobatch.tiles.settings import TileSettings, chosen
from phytobatch.tiles.tiling import Tiling


def classifier(name: str = "leaf", version: str = "2", *, default: bool = False, tiled: bool = True) -> Classifier:
    tiling = LearnedTiling(256, 0.1, (0.1, 1.0)) if tiled else None
    return Classifier(name, version, default, "", ("healthy", "rust"), None, {}, tiling=tiling)


def test_only_what_is_set_is_sent_and_kept() -> None:
    assert TileSettings().to_json() == {}
    assert TileSettings(Tiling(edge=256), "answer", 0.5).to_json() == {
        "tiling": {"edge": 256, "overlap": 0.0},
        "on_coarse": "answer",
        "ground_resolution_mm": 0.5,
    }


def test_settings_of_tiles_without_tiles_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="give --tiles"):
        TileSettings(None, "answer")


def test_auto_is_what_the_classifier_has_learned() -> None:
    assert TileSettings(Tiling()).resolved(classifier()) == Tiling(edge=256, overlap=0.1)
    assert TileSettings(Tiling(edge=64)).resolved(classifier()) == Tiling(edge=64)
    with pytest.raises(ConfigurationError, match=r"leaf@2 has learned no tiles.*--tiles 256"):
        TileSettings(Tiling()).resolved(classifier(tiled=False))


@pytest.mark.parametrize(
    ("pixel", "on_coarse", "words"),
    [(1.5, None, "will have no answer"), (1.5, "answer", "are answered and marked"), (0.9, None, ""), (None, None, "")],
)
def test_a_job_that_cannot_be_read_is_said_before(pixel: float | None, on_coarse: str | None, words: str) -> None:
    said = TileSettings(Tiling(), on_coarse, pixel).all_too_coarse(classifier())
    assert words in (said or "")
    assert (said is None) == (words == "")
    assert TileSettings(Tiling(), on_coarse, pixel).skips_all(classifier()) is (words == "will have no answer")
    assert TileSettings(Tiling(edge=64), None, 9.0).all_too_coarse(classifier(tiled=False)) is None


def test_the_classifier_is_that_of_the_server() -> None:
    listed = [classifier(version="3"), classifier(version="2", default=True), classifier("other", "1")]
    assert chosen(listed, None).version == "2"
    assert chosen(listed, ClassifierRef("leaf")).version == "3"
    assert chosen(listed, ClassifierRef("leaf", "2")).version == "2"
    with pytest.raises(ConfigurationError, match="no classifier leaf@9"):
        chosen(listed, ClassifierRef("leaf", "9"))
    with pytest.raises(ConfigurationError, match="start a worker"):
        chosen([], None)
