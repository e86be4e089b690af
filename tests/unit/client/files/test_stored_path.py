"""Composed and decomposed ways to one folder."""

from __future__ import annotations

from pathlib import Path

from phytobatch.files.stored_path import stored_path

COMPOSED, DECOMPOSED = "se\u00f1al", "sen\u0303al"


def test_both_forms_of_one_folder_are_one_path(tmp_path: Path) -> None:
    """A link stands for a disk that takes both forms for the same, as those of macOS do."""
    (tmp_path / DECOMPOSED).mkdir()
    (tmp_path / COMPOSED).symlink_to(tmp_path / DECOMPOSED)
    assert {stored_path(str(tmp_path / name)) for name in (COMPOSED, DECOMPOSED)} == {tmp_path / COMPOSED}


def test_two_folders_stay_two(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).mkdir()
    for name in (COMPOSED, DECOMPOSED):
        assert stored_path(str(tmp_path / name)) == tmp_path / name


def test_what_is_not_there_stays_as_it_was_given(tmp_path: Path) -> None:
    assert stored_path(str(tmp_path / DECOMPOSED)) == tmp_path / DECOMPOSED
    assert stored_path("a\0b") == Path("a\0b")
