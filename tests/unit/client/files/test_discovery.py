"""Files that are found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phytobatch.files.discovery import find_images


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(*paths: Path) -> list[str]:
    return [file.relative for file in find_images(paths).files]


@pytest.mark.parametrize("name", ["a.jpg", "a.JPG", "a.JpEg", "a.png", "a.tif", "a.TIFF", "a.webp", "a.bmp"])
def test_image_suffixes_are_known_in_any_case(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name)

    assert names(tmp_path) == [name]


def test_other_files_are_counted_and_not_sent(tmp_path: Path) -> None:
    touch(tmp_path / "notes.txt")
    touch(tmp_path / "deep" / "flight.srt")

    found = find_images([tmp_path])

    assert found.files == []
    assert found.other_files == 2


def test_a_file_given_by_name_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    assert names(touch(tmp_path / "scan.raw"), touch(tmp_path / ".hidden")) == ["scan.raw", ".hidden"]


def test_names_are_relative_to_the_folder_with_slashes_and_in_order(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "row 2/c.jpg"):
        touch(tmp_path / name)

    assert names(tmp_path) == ["a.jpg", "b.jpg", "row 2/c.jpg"]


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path / ".a.jpg")
    touch(tmp_path / ".thumbnails" / "b.jpg")

    assert names(tmp_path) == []


def test_a_link_to_a_folder_is_followed_once_and_a_circle_ends(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "a.jpg")
    (tmp_path / "real" / "again").symlink_to(tmp_path / "real")
    (tmp_path / "linked").symlink_to(tmp_path / "real")

    assert names(tmp_path) == ["linked/a.jpg"]


def test_a_link_to_itself_is_reported(tmp_path: Path) -> None:
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")

    found = find_images([tmp_path])

    assert found.files == []
    assert [path for path, _ in found.unreadable] == [str(tmp_path / "self.jpg")]


def test_a_folder_inside_a_given_folder_does_not_give_its_files_twice(tmp_path: Path) -> None:
    touch(tmp_path / "inner" / "a.jpg")

    assert names(tmp_path, tmp_path / "inner") == ["inner/a.jpg"]
    assert names(tmp_path / "inner" / "a.jpg", tmp_path / "inner" / "a.jpg") == ["a.jpg"]


def test_a_path_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    found = find_images([tmp_path / "gone"])

    assert found.unreadable == [(str(tmp_path / "gone"), os.strerror(2))]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every folder")
def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    locked = touch(tmp_path / "locked" / "a.jpg").parent
    locked.chmod(0)
    try:
        found = find_images([tmp_path])
    finally:
        locked.chmod(0o700)

    assert [path for path, _ in found.unreadable] == [str(locked)]
