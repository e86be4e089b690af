"""Overlays: what is drawn where, and what the legend says."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phytobatch.errors import FileUnreadable
from phytobatch.reports.overlays.cells import cells
from phytobatch.reports.overlays.legend import entries, sentence
from phytobatch.reports.overlays.overlay import Look, overlay
from phytobatch.reports.overlays.photograph import LocalPhotographs, drawn_size, open_upright
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.words import Words
from phytobatch.resources import Result
from phytobatch.tiles.answer import ImageTiles, sums_of
from tests.unit.client.tiles.test_answer import MAP

STYLE = Style.of({"healthy": "sana", "rust": "roya"})
GREY = (120, 120, 120)


def photograph(path: Path, size: tuple[int, int] = (600, 400), *, turned: bool = False) -> Path:
    image = pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    exif = image.Exif()
    if turned:
        exif[0x0112] = 6  # stored on its side
    image.new("RGB", size[::-1] if turned else size, GREY).save(path, "JPEG", quality=95, exif=exif)
    return path


def drawn(path: Path, tiles: ImageTiles = MAP, **about: Any) -> Any:  # noqa: ANN401  # an image of Pillow, which may be absent
    from PIL import Image

    result = Result(seq=1, name="1.jpg", status="succeeded", **about)
    return Image.open(io.BytesIO(overlay(path, result, tiles, Look(STYLE, Words("es")))))


def test_overlapping_tiles_meet_in_the_middle_and_skipped_ones_are_left_out() -> None:
    found = list(cells(MAP, 1200, 800))
    assert [cell.box for cell in found] == [
        (0, 0, 512, 400), (512, 0, 856, 400), (856, 0, 1200, 400), (0, 400, 512, 800), (856, 400, 1200, 800),
    ]  # fmt: skip
    assert [cell.label for cell in found] == ["rust", "rust", "healthy", "healthy", "rust"]
    assert found[3].review == "blurred"


def test_a_disease_is_bordered_what_was_skipped_is_as_it_was(tmp_path: Path) -> None:
    picture = drawn(photograph(tmp_path / "1.jpg"), label="rust")
    scale = picture.width / 600
    skipped = picture.getpixel((round(300 * scale), round(300 * scale)))
    assert all(abs(a - b) < 12 for a, b in zip(skipped, GREY))
    border = picture.getpixel((round(100 * scale), 4))
    assert all(abs(a - b) < 60 for a, b in zip(border, STYLE.colour("rust")))
    assert picture.height > 400 * scale + 60  # the legend


def test_a_photograph_on_its_side_is_drawn_upright(tmp_path: Path) -> None:
    upright = open_upright(photograph(tmp_path / "1.jpg", turned=True), longest=2400, expected=(600, 400))
    assert upright.width > upright.height


def test_another_photograph_of_the_same_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="is 64 x 48 pixels, and the answer is about 600 x 400"):
        drawn(photograph(tmp_path / "1.jpg", (64, 48)))
    (tmp_path / "2.jpg").write_bytes(b"no picture")
    with pytest.raises(FileUnreadable, match="cannot be drawn"):
        drawn(tmp_path / "2.jpg")


def test_the_size_is_bounded_on_both_ends() -> None:
    assert drawn_size((8000, 6000), 2400) == (2400, 1800)
    assert drawn_size((352, 264), 2400) == (1000, 750)
    assert drawn_size((352, 264), 500) == (500, 375)
    assert drawn_size((2000, 20), 2400) == (2000, 20)


def test_the_legend_says_shares_and_reasons_in_words() -> None:
    words, counts = Words("en"), sums_of(MAP)
    assert sentence("rust", None, counts, STYLE, words) == "roya: 3 of 4 tiles that count (75.0 %)"
    assert sentence(None, "no_leaf", counts, STYLE, words) == "Undecided: most tiles show no leaf"
    assert [line.text for line in entries(counts, STYLE, words)] == [
        "roya: 3 (75.0 %)",
        "sana: 1 (25.0 %)",
        "to look at: too blurred to see a symptom (1)",
        "not classified: no picture there (1)",
    ]


def test_tiles_too_small_for_a_border_and_labels_unknown_are_drawn(tmp_path: Path) -> None:
    edge = 4
    x, y = list(range(0, 600, edge)), list(range(0, 400, edge))
    rows: Any = [["new_disease"] * len(x) for _ in y]
    nothing: Any = [[None] * len(x) for _ in y]
    tiny = replace(MAP, edge=edge, x=x, y=y, labels=rows, confidence=nothing, review=nothing, skipped=nothing)
    assert drawn(photograph(tmp_path / "1.jpg"), tiny, label="new_disease").width == 1000


def test_local_files_are_found_by_a_name_that_is_there_once(tmp_path: Path) -> None:
    for folder, data in (("east", b"east"), ("west", b"west")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").write_bytes(data)
    (tmp_path / "west" / "2.jpg").write_bytes(b"two")
    local = LocalPhotographs([tmp_path])
    assert local.find("1.jpg") is None  # two of them
    assert local.find("a/2.jpg") == tmp_path / "west" / "2.jpg"
