"""Sizes out of the first bytes of files: what Pillow writes, what cameras write, and what is broken."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from phytobatch.files.picture_size import picture_size

EXIF = b"\xff\xe1\x00\x0aExif\0\0XX"
FRAME = struct.pack(">BBHBHHB", 0xFF, 0xC2, 11, 8, 3956, 5280, 1) + bytes(3)
BIG_TIFF = struct.pack(">2sHHHQQHHQQHHQI4x", b"MM", 43, 8, 0, 16, 2, 256, 16, 1, 90_000, 257, 4, 1, 80_000)


def size_of(tmp_path: Path, data: bytes) -> tuple[int, int] | None:
    path = tmp_path / "file"
    path.write_bytes(data)
    return picture_size(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_what_pillow_writes_is_read(tmp_path: Path, kind: str) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    out = io.BytesIO()
    image.new("RGB", (301, 203), (10, 200, 30)).save(out, kind)
    assert size_of(tmp_path, out.getvalue()) == (301, 203)


def test_webp_without_loss_and_with_alpha_is_read(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    for mode, options in (("RGB", {"lossless": True}), ("RGBA", {"exif": b"Exif\0\0"})):
        out = io.BytesIO()
        image.new(mode, (301, 203)).save(out, "WEBP", **options)
        assert size_of(tmp_path, out.getvalue()) == (301, 203)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"\xff\xd8" + EXIF + FRAME, (5280, 3956)),
        (b"\xff\xd8\xff\xff" + EXIF[1:] + FRAME, (5280, 3956)),  # fill bytes before a marker
        (b"\xff\xd8\xff\xc4\x00\x04ab" + FRAME, (5280, 3956)),  # a Huffman table is no frame
        (BIG_TIFF, (90_000, 80_000)),
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 640, -480) + bytes(20), (640, 480)),
    ],
)
def test_what_cameras_and_scanners_write_is_read(tmp_path: Path, data: bytes, size: tuple[int, int]) -> None:
    assert size_of(tmp_path, data) == size


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        b"\xff\xd8",
        b"\xff\xd8" + EXIF,
        b"\xff\xd8\xff\xda\x00\x02\x00\x00",
        b"\xff\xd8" + b"\xff\x01" * 2000,
        b"\x89PNG\r\n\x1a\n\0\0",
        b"\x89PNG\r\n\x1a\n" + bytes(24),
        b"II*\0\xff\xff\xff\xff",
        b"RIFF\0\0\0\0WAVE" + bytes(20),
        b"BM",
    ],
)
def test_what_is_no_whole_head_has_no_size(tmp_path: Path, data: bytes) -> None:
    assert size_of(tmp_path, data) is None


def test_a_file_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    assert picture_size(tmp_path / "nowhere.jpg") is None
