"""A training folder says what the corrections say, also the second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytobatch.corrections.folder import synchronise
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
