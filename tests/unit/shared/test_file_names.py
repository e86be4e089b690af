"""Names that are hidden or the system's."""

from pathlib import Path

import pytest

from phytobatch.files.discovery import find_images
from shared.contracts.file_names import is_image_name, is_system_path
from worker.inference.files import image_files

# A card that was copied by a Mac and kept on network storage.
CARD = (
    "DCIM/DJI_0001.JPG",
    "DCIM/._DJI_0001.JPG",
    "__MACOSX/DCIM/._DJI_0001.JPG",
    "__MACOSX/DCIM/DJI_0001.JPG",
    ".Trashes/501/DJI_0002.JPG",
    ".thumbnails/DJI_0001.JPG",
    ".Spotlight-V100/x.jpg",
    "@eaDir/DJI_0001.JPG/SYNOPHOTO_THUMB_M.jpg",
    ".@__thumb/defaultDJI_0001.JPG",
    "@Recycle/DJI_0003.JPG",
    "#recycle/DJI_0003.JPG",
    "#snapshot/monday/DJI_0001.JPG",
    "$RECYCLE.BIN/S-1-5-21/$R1.JPG",
    "System Volume Information/x.jpg",
    "lost+found/1.jpg",
    "LOST.DIR/1.jpg",
    ".dtrash/files/1.jpg",
    ".picasaoriginals/1.jpg",
    ".AppleDouble/1.jpg",
    ":2eTrash/1.jpg",
    ".stversions/1.jpg",
    ".sync/Archive/1.jpg",
    ".ipynb_checkpoints/1-checkpoint.jpg",
    "Catalog Previews.lrdata/0/1.jpg",
    "Thumbs.db",
    ".DS_Store",
)


@pytest.mark.parametrize("path", CARD[1:])
def test_system_files_are_known_in_any_case(path: str) -> None:
    assert is_system_path(path)
    assert is_system_path(path.upper())
    assert is_system_path(path.replace("/", "\\"))


@pytest.mark.parametrize(
    "path",
    ["DCIM/DJI_0001.JPG", "#1/row @3/a.jpg", "recycle/1.jpg", "Trash 2026/x.png", "a..jpg", "$5/x.jpg", "@home/x.jpg"],
)
def test_names_that_people_give_are_taken(path: str) -> None:
    assert not is_system_path(path)
    assert is_image_name(path.rpartition("/")[2])


def test_a_copied_card_gives_its_photograph_to_the_command_and_to_inference_alike(tmp_path: Path) -> None:
    for name in CARD:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.jpg").mkdir()
    assert [file.relative for file in find_images([tmp_path]).files] == ["DCIM/DJI_0001.JPG"]
    assert list(image_files(tmp_path)) == [tmp_path / "DCIM" / "DJI_0001.JPG"]
    by_pattern = sorted(path for path in tmp_path.iterdir() if not path.name.startswith("."))
    assert [file.relative for file in find_images(p for p in by_pattern if p.is_dir()).files] == ["DJI_0001.JPG"]
    assert len(find_images([tmp_path / "@eaDir"]).files) == 1
