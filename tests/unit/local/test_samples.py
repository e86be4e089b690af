from pathlib import Path

from PIL import Image

from deploy.local.samples import photos_in, readable, wrong_results


def photos(folder: Path) -> Path:
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (64, 64), "green").save(folder / name)
    (folder / "page.jpg").write_text("<html></html>", encoding="utf-8")
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:-200])
    (folder / "notes.txt").write_text("not a photo", encoding="utf-8")
    return folder


def test_only_files_called_like_images_count(tmp_path: Path) -> None:
    assert [path.name for path in photos_in(photos(tmp_path))] == ["a.jpg", "b.jpg", "cut.jpg", "page.jpg"]


def test_broken_files_are_told_from_good_ones(tmp_path: Path) -> None:
    photos(tmp_path)
    assert [path.name for path in photos_in(tmp_path) if readable(path)] == ["a.jpg", "b.jpg"]


def test_exactly_the_broken_files_without_a_class_is_no_surprise(tmp_path: Path) -> None:
    assert wrong_results(photos(tmp_path), {"a.jpg", "b.jpg"}) == []


def test_a_good_photo_without_a_class_is_a_surprise(tmp_path: Path) -> None:
    assert wrong_results(photos(tmp_path), {"b.jpg"}) == ["a.jpg is a good photo and got no class"]


def test_a_broken_file_with_a_class_is_a_surprise(tmp_path: Path) -> None:
    assert wrong_results(photos(tmp_path), {"a.jpg", "b.jpg", "cut.jpg"}) == [
        "only 1 of the 2 broken files were noticed"
    ]
