"""A training folder says what the corrections say, also the second time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from phytobatch.corrections import cutting
from phytobatch.corrections.folder import path_of, synchronise
from phytobatch.corrections.resources import Correction
from phytobatch.errors import ConfigurationError, DownloadRefused

JOB = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"


def fetch(seq: int, part: Path) -> None:
    part.write_text(f"image {seq}")


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_there_is_one_folder_for_each_label_with_the_originals_in_it(tmp_path: Path) -> None:
    corrections = [Correction(1, "a/DJI 1.JPG", "rust"), Correction(2, "../../x.jpg", "healthy")]
    brought = synchronise(JOB, corrections, tmp_path, fetch)
    assert files(tmp_path) == {
        "healthy/5d1c6a2b9e10-000002-x.jpg": "image 2",
        "rust/5d1c6a2b9e10-000001-DJI_1.JPG": "image 1",
    }
    assert (brought.labels, brought.new, brought.removed) == ({"rust": 1, "healthy": 1}, 2, 0)


def test_the_second_call_brings_what_is_new_and_removes_what_has_another_label(tmp_path: Path) -> None:
    other = tmp_path / "rust" / "mine.jpg"
    other.parent.mkdir()
    other.write_text("not ours")
    synchronise(JOB, [Correction(1, "1.jpg", "rust"), Correction(2, "2.jpg", "rust")], tmp_path, fetch)
    asked: list[int] = []

    def counting(seq: int, part: Path) -> None:
        asked.append(seq)
        fetch(seq, part)

    brought = synchronise(JOB, [Correction(1, "1.jpg", "healthy"), Correction(2, "2.jpg", "rust")], tmp_path, counting)
    assert (asked, brought.new, brought.removed) == ([1], 1, 1)
    assert set(files(tmp_path)) == {
        "healthy/5d1c6a2b9e10-000001-1.jpg",
        "rust/5d1c6a2b9e10-000002-2.jpg",
        "rust/mine.jpg",
    }


def test_an_image_that_was_never_uploaded_is_told_and_the_others_come(tmp_path: Path) -> None:
    def partly(seq: int, part: Path) -> None:
        if seq == 1:
            raise DownloadRefused("gone")
        fetch(seq, part)

    brought = synchronise(JOB, [Correction(1, "1.jpg", "rust"), Correction(2, "2.jpg", "rust")], tmp_path, partly)
    assert [one.seq for one in brought.missing] == [1]
    assert set(files(tmp_path)) == {"rust/5d1c6a2b9e10-000002-2.jpg"}


def test_a_label_that_is_a_path_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        synchronise(JOB, [Correction(1, "1.jpg", "../up")], tmp_path, fetch)
    assert files(tmp_path) == {}


def photograph(part: Path) -> None:
    """Eight columns of their own grey, stored turned: the camera was held upright, so it is 40 wide and 80 high."""
    rows = Image.new("L", (80, 40))
    rows.putdata([10 * (x // 10) for _ in range(40) for x in range(80)])
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    rows.convert("RGB").save(part, "PNG", exif=exif)


def of_tile(tile: int, label: str, box: tuple[int, int, int, int] | None, seq: int = 1) -> Correction:
    return Correction(seq, "a/DJI 1.JPG", label, tile=tile, box=box)


def test_corrected_tiles_are_cut_out_of_the_upright_photograph_which_is_brought_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def bring(seq: int, part: Path) -> None:
        asked.append(seq)
        photograph(part)

    corrections = [of_tile(0, "rust", (0, 0, 40, 40)), of_tile(1, "healthy", (0, 40, 40, 80))]
    brought = synchronise(JOB, corrections, tmp_path, bring)
    assert (asked, brought.new, brought.labels) == ([1], 2, {"rust": 1, "healthy": 1})
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "rust/5d1c6a2b9e10-000001.00000-DJI_1.png",
        "healthy/5d1c6a2b9e10-000001.00001-DJI_1.png",
        "5d1c6a2b9e10-tiles.json",
    }
    for label, greys in (("rust", range(0, 40, 10)), ("healthy", range(40, 80, 10))):
        (path,) = (tmp_path / label).iterdir()
        with Image.open(path) as tile:
            assert tile.size == (40, 40)
            assert [tile.getpixel((20, 10 * row + 5)) for row in range(4)] == [(grey,) * 3 for grey in greys]


def test_the_photograph_itself_is_the_source_where_it_is_corrected_too(tmp_path: Path) -> None:
    asked: list[int] = []

    def bring(seq: int, part: Path) -> None:
        asked.append(seq)
        photograph(part)

    whole = Correction(1, "1.png", "rust")
    synchronise(JOB, [whole], tmp_path, bring)
    brought = synchronise(JOB, [whole, of_tile(3, "rust", (0, 0, 40, 40))], tmp_path, bring)
    assert (asked, brought.new, brought.labels) == ([1], 1, {"rust": 2})
    again = synchronise(JOB, [of_tile(3, "healthy", (0, 0, 40, 40))], tmp_path, bring)
    assert (again.new, again.removed, again.labels) == (1, 2, {"healthy": 1})


def test_a_tile_and_an_image_that_is_called_like_one_are_two_files(tmp_path: Path) -> None:
    tile = path_of(JOB, Correction(1, "x.png", "rust", tile=5), tmp_path)
    images = [Correction(seq, name, "rust") for seq in (1, 10) for name in ("00005-x.png", ".00005-x.png", "x.png")]
    assert len({tile, *(path_of(JOB, one, tmp_path) for one in images)}) == 7


@pytest.mark.parametrize(
    ("box", "says"), [((0, 0, 41, 40), "outside"), (None, "does not say"), ((0, 40, 40, 81), "outside")]
)
def test_a_tile_that_cannot_be_cut_out_is_told_and_leaves_nothing(
    tmp_path: Path, box: tuple[int, int, int, int] | None, says: str
) -> None:
    brought = synchronise(JOB, [of_tile(0, "rust", box)], tmp_path, lambda _, part: photograph(part))
    ((one, reason),) = brought.unreadable
    assert (one.tile, brought.new, brought.labels, brought.is_complete) == (0, 0, {}, False)
    assert says in reason
    assert files(tmp_path) == {}


def test_a_photograph_that_is_no_picture_costs_its_tiles_alone(tmp_path: Path) -> None:
    corrections = [of_tile(0, "rust", (0, 0, 9, 9)), Correction(2, "2.jpg", "rust")]
    brought = synchronise(JOB, corrections, tmp_path, fetch)
    assert [one.seq for one, _ in brought.unreadable] == [1]
    assert set(files(tmp_path)) == {"rust/5d1c6a2b9e10-000002-2.jpg"}


def test_tiles_without_pillow_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"phytobatch\[report\]"):
        synchronise(JOB, [of_tile(0, "rust", (0, 0, 9, 9))], tmp_path, fetch)
    assert synchronise(JOB, [Correction(1, "1.jpg", "rust")], tmp_path, fetch).new == 1


def test_what_is_known_of_the_tiles_stands_beside_the_labels_and_follows_the_corrections(tmp_path: Path) -> None:
    known = replace(of_tile(0, "rust", (0, 0, 40, 40)), ground_resolution_mm=5.5)
    corrections = [known, of_tile(1, "rust", (0, 40, 40, 80), seq=2), Correction(3, "3.jpg", "rust")]
    synchronise(JOB, corrections, tmp_path, lambda _, part: photograph(part))
    file = tmp_path / "5d1c6a2b9e10-tiles.json"
    assert json.loads(file.read_text()) == {
        "job": JOB,
        "photographs": {
            "5d1c6a2b9e10-000001": {"edge": 40, "ground_resolution_mm": 5.5},
            "5d1c6a2b9e10-000002": {"edge": 40, "ground_resolution_mm": None},
        },
    }
    synchronise(JOB, corrections[2:], tmp_path, lambda _, part: photograph(part))
    assert not file.exists()
