from __future__ import annotations

from pathlib import Path

import pytest

from phytobatch.errors import ConfigurationError
from phytobatch.geography.report import sidecar_words
from phytobatch.geography.sidecars import Sidecar, find_sidecars
from phytobatch.resources import SidecarReport, UnmatchedLine


@pytest.fixture
def flight(tmp_path: Path) -> Path:
    for name in ("Geo.TXT", "images.csv", "a.jpg", "other.csv"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_the_sidecars_of_a_folder_are_found_positions_first(flight: Path) -> None:
    assert find_sidecars([flight]) == [Sidecar(flight / "Geo.TXT", flight), Sidecar(flight / "images.csv", flight)]


def test_a_named_file_replaces_the_one_in_the_folder(flight: Path) -> None:
    other = flight / "other.csv"
    assert find_sidecars([flight], positions=other) == [Sidecar(other), Sidecar(flight / "images.csv", flight)]
    assert find_sidecars([flight], metadata=[other]) == [Sidecar(flight / "Geo.TXT", flight), Sidecar(other)]


def test_files_alone_bring_no_sidecar(flight: Path) -> None:
    assert find_sidecars([flight / "a.jpg"]) == []


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no file .*gone\.txt"):
        find_sidecars([tmp_path], positions=tmp_path / "gone.txt")


def report(**overrides: object) -> SidecarReport:
    values = {"lines": 3, "matched": 3, "unmatched": (), "images": 3, "images_without_position": 0}
    return SidecarReport(**{**values, "without_position": (), **overrides})  # type: ignore[arg-type]


def test_the_words_name_lines_and_images_that_found_nothing() -> None:
    said = report(
        matched=2,
        unmatched=(UnmatchedLine(4, "x.jpg", "no image has this name"),),
        images_without_position=1,
        without_position=("b.jpg",),
    )
    assert list(sidecar_words([("f/geo.txt", said)])) == [
        "f/geo.txt: 2 of 3 lines matched an image",
        "  line 4 (x.jpg): no image has this name",
        "1 of 3 images got no position from these files; the one inside the image counts, if there is one:",
        "  b.jpg",
    ]


def test_long_lists_are_cut_and_say_so() -> None:
    missing = tuple(f"{n}.jpg" for n in range(1000))
    words = list(
        sidecar_words([("geo.txt", report(images=5000, images_without_position=4000, without_position=missing))])
    )
    assert words[-1] == "  … and 3,990 more"
    assert len(words) == 13


def test_nothing_is_said_without_a_sidecar() -> None:
    assert list(sidecar_words([])) == []


def test_a_table_without_positions_is_not_blamed_for_them() -> None:
    assert len(list(sidecar_words([("images.csv", report(images_without_position=3))]))) == 1
