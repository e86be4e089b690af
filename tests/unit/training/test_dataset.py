from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.training.dataset import check_counts, hold_out, labelled_files
from worker.training.errors import TrainingError
from worker.training.folders import class_folders

Colour = tuple[int, int, int]
Fill = Callable[[Path, int, Colour], None]


def fill(folder: Path, count: int, colour: Colour) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (20, 10), colour).save(folder / f"{number}.png")


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    fill(tmp_path / "a" / "rust", 3, (200, 100, 0))
    fill(tmp_path / "a" / "healthy", 2, (0, 200, 0))
    fill(tmp_path / "a" / "other_disease" / "scab", 1, (0, 0, 0))
    fill(tmp_path / "b" / "healthy" / "deeper", 1, (0, 180, 0))
    (tmp_path / "a" / "healthy" / "readme.txt").write_text("no image")
    return [tmp_path / "a", tmp_path / "b"]


def test_classes_are_the_folders(folders: list[Path]) -> None:
    assert list(class_folders(folders)) == ["healthy", "other_disease", "rust"]


def test_only_the_chosen_classes_are_read_from_every_folder(folders: list[Path]) -> None:
    files = labelled_files(folders, ("rust", "healthy"))
    assert [f.label for f in files] == [0, 0, 0, 1, 1, 1]
    assert all(f.path.suffix == ".png" for f in files)


def test_a_class_without_images_is_named(folders: list[Path]) -> None:
    with pytest.raises(TrainingError, match="mildew"):
        labelled_files(folders, ("rust", "mildew"))


def test_missing_folders_and_single_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no folder"):
        class_folders([tmp_path / "gone"])
    (tmp_path / "only").mkdir()
    with pytest.raises(TrainingError, match="at least two"):
        class_folders([tmp_path])


def test_folders_of_the_review_follow_the_classes_and_may_be_missing(folders: list[Path]) -> None:
    files = labelled_files(folders, ("rust", "healthy"), review=("other_disease", "not_a_leaf"))
    assert sorted(f.label for f in files) == [0, 0, 0, 1, 1, 1, 2]


def labels_of(*counts: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.repeat(np.arange(len(counts)), counts)


def test_the_same_share_of_every_class_is_held_out() -> None:
    labels = labels_of(100, 50, 10)
    kept, held = hold_out(labels, 0.1, seed=0)
    assert np.bincount(labels[held]).tolist() == [10, 5, 1]
    assert sorted([*kept, *held]) == list(range(160))


def test_the_split_follows_the_seed() -> None:
    first, again, other = (hold_out(labels_of(50, 50), 0.1, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_both_sides_have_every_class() -> None:
    labels = labels_of(2, 2)
    kept, held = hold_out(labels, 0.9, seed=0)
    assert np.bincount(labels[kept]).tolist() == np.bincount(labels[held]).tolist() == [1, 1]
    with pytest.raises(TrainingError, match="at least two"):
        hold_out(labels_of(5, 1), 0.1, seed=0)


def test_a_class_with_one_image_is_named_before_any_is_read() -> None:
    check_counts([0, 0, 1, 1, 2, 2], ("rust", "healthy", "other_disease", "not_a_leaf"), classes=2)
    with pytest.raises(TrainingError, match="healthy, other_disease"):
        check_counts([0, 0, 1, 2], ("rust", "healthy", "other_disease", "not_a_leaf"), classes=2)
    with pytest.raises(TrainingError, match="fewer are in rust"):
        check_counts([1, 1], ("rust", "healthy"), classes=2)


def test_a_photograph_lies_on_one_side_with_all_its_tiles() -> None:
    labels = np.tile(np.repeat([0, 1, 2], [6, 3, 1]), 24)
    photographs = np.repeat([f"p{number}" for number in range(24)], 10).tolist()
    kept, held = hold_out(labels, 0.1, seed=1, photographs=photographs)
    assert sorted([*kept, *held]) == list(range(240))
    assert not {photographs[i] for i in kept} & {photographs[i] for i in held}
    assert set(labels[held]) == set(labels[kept]) == {0, 1, 2}
    assert len(held) <= 0.15 * len(labels)


def test_a_large_photograph_is_held_out_only_where_no_smaller_one_has_the_label() -> None:
    labels = np.array([0] * 60 + [1] * 5 + [0] * 6 + [1] * 2 + [0] * 7 + [1] * 2)
    photographs = ["large"] * 65 + ["small"] * 8 + ["medium"] * 9
    for seed in range(8):
        _, held = hold_out(labels, 0.1, seed, photographs=photographs)
        assert {photographs[i] for i in held} <= {"small", "medium"}


def test_a_label_of_one_photograph_alone_is_divided_and_no_other_is() -> None:
    labels = np.array([0, 0, 0, 1, 1, 0, 0, 0])
    photographs = ["a", "a", "a", "a", "a", "b", "b", "b"]
    kept, held = hold_out(labels, 0.1, seed=1, photographs=photographs)
    assert np.bincount(labels[held]).tolist()[1] == 1
    assert {photographs[i] for i in held if labels[i] == 0} == {"b"}
    assert set(labels[kept]) == {0, 1}


def test_pictures_without_a_photograph_are_split_as_they_were() -> None:
    labels = labels_of(30, 20)
    single = [str(i) for i in range(50)]
    for seed in (1, 2):
        for with_names, without in zip(
            hold_out(labels, 0.1, seed, photographs=sorted(single)), hold_out(labels, 0.1, seed), strict=True
        ):
            np.testing.assert_array_equal(with_names, without)
