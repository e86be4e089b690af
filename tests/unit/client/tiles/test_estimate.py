"""The tiles of a folder, counted without sending it."""

from __future__ import annotations

import struct
from pathlib import Path

from phytobatch.files.discovery import find_images
from phytobatch.tiles.estimate import estimate
from phytobatch.tiles.tiling import Tiling


def jpeg(width: int, height: int) -> bytes:
    return b"\xff\xd8" + struct.pack(">BBHBHHB", 0xFF, 0xC0, 11, 8, height, width, 1) + bytes(3)


def test_sizes_are_counted_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(4000, 3000))
    (tmp_path / "4.jpg").write_bytes(jpeg(3000, 4000))
    (tmp_path / "5.jpg").write_bytes(b"broken")
    found = estimate(find_images([tmp_path]).files, Tiling(edge=256))
    assert found.tiles == 4 * 192
    assert found.by_size() == [((4000, 3000), 3, 192), ((3000, 4000), 1, 192)]
    assert [one.file.path.name for one in found.unread] == ["5.jpg"]
    assert found.photographs[0].to_json() == {
        "path": str(tmp_path / "0.jpg"), "width": 4000, "height": 3000, "tiles": 192,
    }  # fmt: skip


def test_a_whole_photograph_is_one_also_where_its_head_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"broken")
    assert estimate(find_images([tmp_path]).files, None).tiles == 1
