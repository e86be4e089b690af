"""``--explain`` and ``--sheet`` of the command, without a model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.contracts.manifest import ClassLabel, Manifest, ReviewReason
from shared.contracts.outputs import ModelOutputs
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from worker.inference.__main__ import EXIT_USAGE, main
from worker.inference.command.lines import json_line
from worker.inference.command.pictures import EDGE, Pictures
from worker.inference.explanation import Explanation
from worker.inference.interpret import Interpretation
from worker.inference.items import Outcome
from worker.inference.tiles.answer import answer_of

GREEN = (40, 140, 40)
LABELS = ("healthy", "rust")


@pytest.fixture
def manifest(make_manifest: Callable[..., Manifest]) -> Manifest:
    classes = tuple(ClassLabel(id=label) for label in LABELS)
    return make_manifest(classes=classes, schema_version=2, outputs=ModelOutputs(map="map", map_size=(1, 2)))


def photograph(path: Path, size: tuple[int, int] = (80, 40), orientation: int = 1) -> Path:
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, GREEN).save(path, exif=exif)
    return path


def whole(values: bytes = b"\xff\x00") -> Outcome:
    found = Explanation(1, 2, values)
    answer = Interpretation("rust", {}, 0.9, {"healthy": 0.1, "rust": 0.9}, (), None, explanation=found)
    return Outcome(0, interpretation=answer)


def is_changed(drawn: Image.Image, box: tuple[int, int, int, int]) -> bool:
    return bool((np.abs(np.asarray(drawn.crop(box)).astype(int) - GREEN) > 20).any())


def test_a_classifier_without_a_map_is_refused_before_any_work(
    tmp_path: Path, make_manifest: Callable[..., Manifest], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text(make_manifest().model_dump_json())
    photo = photograph(tmp_path / "a.png")
    for option in (["--explain", str(tmp_path / "out")], ["--sheet", str(tmp_path / "sheet.png")]):
        assert main([str(photo), "--classifier", str(tmp_path), *option]) == EXIT_USAGE
        assert "colours 1 gives no map" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_each_photograph_is_drawn_upright_under_a_name_of_its_own(tmp_path: Path, manifest: Manifest) -> None:
    pictures = Pictures(tmp_path, None, manifest)
    pictures.draw(photograph(tmp_path / "a" / "1.png", orientation=6), whole())
    pictures.draw(photograph(tmp_path / "b" / "1.png"), whole())
    with Image.open(tmp_path / "1.jpg") as turned, Image.open(tmp_path / "1-2.jpg") as other:
        assert is_changed(turned, (5, 5, 15, 75))
        assert not is_changed(turned, (30, 5, 40, 75)), "it is 40 wide and 80 high"
        assert is_changed(other, (5, 5, 35, 35))
        assert not is_changed(other, (68, 5, 80, 35))


def test_the_sheet_has_each_photograph_beside_itself(tmp_path: Path, manifest: Manifest) -> None:
    pictures = Pictures(None, tmp_path / "sheet.png", manifest)
    for number in range(3):
        pictures.draw(photograph(tmp_path / f"{number}.png", (2 * EDGE, EDGE)), whole())
    pictures.finish()
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 4 * EDGE, "two pairs beside each other"
        assert sheet.height in range(EDGE, 2 * EDGE), "in two rows"
    assert [path.name for path in sorted(tmp_path.glob("*.jpg"))] == []


def test_only_diseased_tiles_that_count_are_drawn(tmp_path: Path, manifest: Manifest) -> None:
    grid = lay_grid(128, 32, 32)
    tiles = [Tile(1, 0.9), Tile(0, 0.9), Tile(1, 0.9, ReviewReason.BLURRED), Tile(1, 0.9)]
    found = {number: Explanation(1, 1, b"\xff") for number in range(3)}
    outcome = Outcome(0, answer=answer_of(TileMap.of(grid, tiles), manifest), explanations=found)
    Pictures(tmp_path, None, manifest).draw(photograph(tmp_path / "a.png", (128, 32)), outcome)
    with Image.open(tmp_path / "a.jpg") as drawn:
        seen = [is_changed(drawn, (32 * number + 8, 8, 32 * number + 24, 24)) for number in range(4)]
    assert seen == [True, False, False, False]


def test_a_file_without_an_answer_is_left_out(tmp_path: Path, manifest: Manifest) -> None:
    Pictures(tmp_path, None, manifest).draw(photograph(tmp_path / "a.png"), Outcome(0))
    assert list(tmp_path.glob("*.jpg")) == []


def test_the_line_for_programs_has_the_cells() -> None:
    assert '"explanation": [[255, 0]]' in json_line("a.jpg", whole(), LABELS)
    assert '"explanation": null' in json_line("a.jpg", Outcome(0), LABELS)
