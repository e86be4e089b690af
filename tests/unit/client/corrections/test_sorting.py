"""Tiles to sort, and what sorted folders say."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from phytobatch.corrections.folder import path_of
from phytobatch.corrections.resources import Correction
from phytobatch.corrections.sorting import chosen_tiles, read_sorted
from phytobatch.errors import ConfigurationError

JOB = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"


def test_every_tile_of_every_photograph_is_as_likely_as_any_other() -> None:
    seen: Counter[tuple[int, int]] = Counter()
    for seed in range(400):
        for seq, tiles in chosen_tiles({1: 2, 2: 8}, 5, without=(), seed=seed).items():
            seen.update((seq, tile) for tile in tiles)
    assert len(seen) == 10
    assert all(150 < times < 250 for times in seen.values())


def test_the_same_seed_chooses_the_same_tiles_and_none_that_is_known_already() -> None:
    first = chosen_tiles({3: 50, 4: 50}, 30, without=(), seed=1)
    assert first == chosen_tiles({3: 50, 4: 50}, 30, without=(), seed=1)
    assert first != chosen_tiles({3: 50, 4: 50}, 30, without=(), seed=2)
    known = {(seq, tile) for seq, tiles in first.items() for tile in tiles}
    rest = chosen_tiles({3: 50, 4: 50}, 1000, without=known, seed=1)
    assert sum(map(len, rest.values())) == 70
    assert not known & {(seq, tile) for seq, tiles in rest.items() for tile in tiles}


def put(folder: Path, seq: int, label: str, tile: int | None) -> Path:
    path = path_of(JOB, Correction(seq, "DJI 1.JPG", label, tile=tile), folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_folders_say_the_labels_of_tiles_and_images(tmp_path: Path) -> None:
    put(tmp_path, 1, "rust", 12)
    put(tmp_path, 1, "not_a_leaf", 0)
    put(tmp_path, 2, "healthy", None)
    put(tmp_path, 3, "later", 4).rename(tmp_path / "5d1c6a2b9e10-000003.00004-x.png")
    (tmp_path / "rust" / "notes.txt").touch()
    (tmp_path / "rust" / "ffffffffffff-000001.00001-x.png").touch()
    found = read_sorted(JOB, tmp_path)
    assert found.unsorted == 1
    rows = [tuple(row) for row in csv.reader(io.StringIO(found.table().decode()))]
    assert rows[0] == ("seq", "tile", "label")
    assert set(rows[1:]) == {("1", "12", "rust"), ("1", "0", "not_a_leaf"), ("2", "", "healthy")}


def test_a_picture_in_two_folders_and_a_folder_that_is_no_label_are_named(tmp_path: Path) -> None:
    put(tmp_path, 1, "rust", 12)
    other = put(tmp_path, 1, "healthy", 12)
    with pytest.raises(ConfigurationError, match="same picture"):
        read_sorted(JOB, tmp_path)
    (tmp_path / "not sure").mkdir()
    other.rename(tmp_path / "not sure" / "5d1c6a2b9e10-000001.00013-x.png")
    with pytest.raises(ConfigurationError, match="'not sure' cannot be a label"):
        read_sorted(JOB, tmp_path)
