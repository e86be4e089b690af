"""Tiles on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from shared.contracts.manifest import ClassLabel, Manifest, ManifestTiling, ReviewReason
from shared.contracts.states import ImageErrorCode
from shared.contracts.tiling import OnCoarse, TilesInMillimetres, TilesInPixels, Tiling
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from tests.unit.inference.colours import ColourClassifier
from worker.inference import __main__ as command
from worker.inference.command.lines import TILED_HEADING, json_line, tiled_line
from worker.inference.command.plans import Asked, FilePlanner, NoTiles
from worker.inference.errors import ImageError
from worker.inference.items import Item, Outcome
from worker.inference.pipeline import TileCut
from worker.inference.tiles.answer import answer_of

CLASSES = (ClassLabel(id="healthy"), ClassLabel(id="rust"))


@pytest.fixture
def manifest(make_manifest: Callable[..., Manifest]) -> Manifest:
    return make_manifest(classes=CLASSES, tiling=ManifestTiling(edge=48, overlap=0.25, ground_resolution_mm=(0.1, 0.5)))


@pytest.fixture
def photo_file(photo: Image.Image, tmp_path: Path) -> Path:
    path = tmp_path / "bench.jpg"
    photo.save(path)
    return path


def planned(
    manifest: Manifest, path: Path, tiling: Tiling, mm: float | None = None, on_coarse: OnCoarse = OnCoarse.SKIP
) -> Item | Outcome:
    return FilePlanner(Asked(tiling, on_coarse, mm), manifest).plan(3, path)


def cut_of(planned: Item | Outcome) -> TileCut | None:
    assert isinstance(planned, Item)
    return planned.tiles


def test_tiles_are_planned_by_the_rules_of_a_job(manifest: Manifest, photo_file: Path) -> None:
    assert cut_of(planned(manifest, photo_file, TilesInPixels(edge=64, overlap=0.1))) == TileCut(64, 0.1)
    assert cut_of(planned(manifest, photo_file, "auto")) == TileCut(48, 0.25)
    assert cut_of(planned(manifest, photo_file, TilesInMillimetres(edge_mm=20), mm=0.25)) == TileCut(80)


def test_millimetres_need_a_ground_resolution(manifest: Manifest, photo_file: Path) -> None:
    outcome = planned(manifest, photo_file, TilesInMillimetres(edge_mm=20))
    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert outcome.error.code is ImageErrorCode.GROUND_RESOLUTION_UNKNOWN
    assert "--ground-resolution" in outcome.error.detail


def test_a_photograph_that_is_too_coarse_is_skipped_or_marked(manifest: Manifest, photo_file: Path) -> None:
    skipped = planned(manifest, photo_file, TilesInPixels(edge=100), mm=0.6)
    assert isinstance(skipped, Outcome)
    assert skipped.answer is not None
    assert (skipped.answer.review_reason, skipped.answer.sums.total) == (ReviewReason.TOO_COARSE, 12)
    marked = planned(manifest, photo_file, TilesInPixels(edge=100), mm=0.6, on_coarse=OnCoarse.ANSWER)
    assert cut_of(marked) == TileCut(100, is_coarse=True)


def test_a_skipped_photograph_of_too_many_tiles_ends_no_command(manifest: Manifest, tmp_path: Path) -> None:
    Image.new("L", (9000, 500)).save(tmp_path / "far.png")
    outcome = planned(manifest, tmp_path / "far.png", TilesInPixels(edge=32), mm=0.6)
    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert outcome.error.code is ImageErrorCode.TOO_MANY_TILES


def test_auto_needs_a_classifier_that_has_learned_tiles(make_manifest: Callable[..., Manifest]) -> None:
    with pytest.raises(NoTiles, match="--tiles 256"):
        FilePlanner(Asked("auto", OnCoarse.SKIP, None), make_manifest())


def test_an_empty_file_is_left_to_whoever_decodes_it(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    assert cut_of(planned(manifest, tmp_path / "empty.jpg", TilesInPixels(edge=64))) == TileCut(64)


@pytest.fixture
def outcome(manifest: Manifest) -> Outcome:
    tiles = [Tile(0, 0.5), Tile(1, 1.0), Tile(0, 0.25, ReviewReason.BLURRED), *[Tile(0, 1.0)] * 3]
    return Outcome(0, answer=answer_of(TileMap.of(lay_grid(300, 200, 100), tiles), manifest))


def test_json_has_the_map_rows_first(outcome: Outcome) -> None:
    line = json.loads(json_line("a.jpg", outcome, ["healthy", "rust"]))
    assert (line["label"], line["confidence"], line["probabilities"]) == ("rust", 1.0, None)
    assert (line["needs_review"], line["review_reason"], line["error"]) == (False, None, None)
    tiles = line["tiles"]
    assert (tiles["x"], tiles["y"], tiles["edge"]) == ([0, 100, 200], [0, 100], 100)
    assert tiles["labels"] == [["healthy", "rust", "healthy"], ["healthy"] * 3]
    assert tiles["review"] == [[None, None, "blurred"], [None] * 3]
    assert tiles["skipped"] == [[None] * 3] * 2
    assert tiles["confidence"][0] == pytest.approx([0.5, 1.0, 0.25], abs=1e-4)


def test_the_table_says_the_share_and_what_counts(outcome: Outcome) -> None:
    line = tiled_line("a.jpg", outcome)
    assert line.split() == ["rust", "20.0%", "5", "of", "6", "a.jpg"]
    assert line.index("a.jpg") == TILED_HEADING.index("file")


def test_the_table_says_why_there_is_no_answer(manifest: Manifest) -> None:
    grid = lay_grid(100, 100, 100)
    unclear = Outcome(0, answer=answer_of(TileMap.of(grid, [Tile(0, 0.9, ReviewReason.NOT_A_LEAF)]), manifest))
    assert tiled_line("a.jpg", unclear).split(maxsplit=5)[0] == "-"
    assert tiled_line("a.jpg", unclear).endswith("(please look yourself: no_leaf)")
    failed = Outcome(0, error=ImageError(ImageErrorCode.EMPTY, "It is empty."))
    assert tiled_line("a.jpg", failed).endswith("a.jpg: It is empty.")
    assert tiled_line("a.jpg", failed).index("a.jpg") == TILED_HEADING.index("file")


def test_the_command_answers_in_tiles_in_the_order_of_the_files(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier = ColourClassifier(
        manifest.model_copy(update={"classes": (*CLASSES, ClassLabel(id="x"))}), batch_size=32
    )
    monkeypatch.setattr(command, "read_manifest", lambda _: manifest)
    monkeypatch.setattr(command, "open_classifier", lambda *_, **__: classifier)
    for name, size in (("a", (300, 200)), ("b", (10, 10)), ("c", (64, 32))):
        Image.new("RGB", size, (20, 230, 20)).save(tmp_path / f"{name}.png")
    (tmp_path / "d.png").write_bytes(b"no picture")
    assert command.main([str(tmp_path), "--tiles", "32/0.5", "--json"]) == command.EXIT_SOME
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["a.png", "b.png", "c.png", "d.png"]
    assert [line["label"] for line in lines] == ["rust", "rust", "rust", None]
    assert [len(line["tiles"]["x"]) if line["tiles"] else None for line in lines] == [18, 1, 3, None]
    assert command.main([str(tmp_path / "a.png"), "--tiles", "32"]) == command.EXIT_ALL
    assert capsys.readouterr().out.splitlines()[1].split()[:5] == ["rust", "100.0%", "70", "of", "70"]


@pytest.mark.parametrize("arguments", [["--tiles", "16%"], ["--tiles", "256", "--ground-resolution", "-1"]])
def test_options_without_sense_are_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["x.jpg", *arguments])
    assert caught.value.code == command.EXIT_USAGE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tiles", "31"], "greater than or equal to 32"),
        (["--tiles", "many"], "is no tiling: give `auto`"),
        (["--tiles", "256", "--ground-resolution", "1e-320"], "is not from 0.0001 to 10000 millimetres"),
    ],
)
def test_a_usage_error_says_what_is_right(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["x.jpg", *arguments])
    assert words in capsys.readouterr().err
