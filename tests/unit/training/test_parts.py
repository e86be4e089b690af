from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from shared.contracts.manifest import Manifest
from worker.inference.manifest import read_manifest, verify_model_file
from worker.training.augment import augment
from worker.training.errors import TrainingError
from worker.training.evaluate import Evaluation
from worker.training.labels import class_labels
from worker.training.threshold import HIGHEST, LOWEST, review_threshold
from worker.training.write import write_classifier

FIELDS = {"name": "n", "version": "1", "classes": class_labels(("healthy", "rust")), "input_size": (8, 8)}


def batch() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


def test_augmentation_keeps_shape_and_kind_and_changes_pixels() -> None:
    varied = augment(batch(), np.random.default_rng(1))
    assert varied.shape == (6, 32, 32, 3)
    assert varied.dtype == np.uint8
    assert not np.array_equal(varied, batch())


def test_augmentation_follows_its_generator() -> None:
    first, again, other = (augment(batch(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pictures_that_are_not_square_keep_their_sides() -> None:
    flat = np.zeros((4, 10, 20, 3), np.uint8)
    assert augment(flat, np.random.default_rng(0)).shape == (4, 10, 20, 3)


def rows(*confidences: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array([(c, 1 - c) for c in confidences], np.float32)


def test_the_threshold_is_the_lowest_above_which_the_model_is_right() -> None:
    wrong_below_seventy = np.array([1, 1, 0, 0, 0])
    assert review_threshold(rows(0.55, 0.68, 0.72, 0.8, 0.99), wrong_below_seventy) == 0.7


def test_a_model_that_is_always_right_needs_little_review() -> None:
    assert review_threshold(rows(0.6, 0.9), np.zeros(2, np.int64)) == LOWEST


def test_a_model_that_is_always_wrong_needs_much() -> None:
    assert review_threshold(rows(0.99, 0.999), np.ones(2, np.int64)) == HIGHEST


def test_known_classes_have_names_in_four_languages() -> None:
    healthy, rush, other = class_labels(("healthy", "rush", "black_spot"))
    assert healthy.names["es"] == "sana"
    assert rush.names["en"] == "rust"
    assert other.names == {"en": "black spot"}


def test_a_written_folder_can_be_read_and_verified(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "classifier"
    manifest = write_classifier(out, lambda path: path.write_bytes(b"weights"), FIELDS)
    assert isinstance(manifest, Manifest)
    verify_model_file(out, read_manifest(out))
    assert sorted(p.name for p in out.iterdir()) == ["manifest.json", "model.keras"]
    assert sorted(p.name for p in out.parent.iterdir()) == ["classifier"]


def test_a_classifier_can_be_written_again(tmp_path: Path) -> None:
    for weights in (b"first", b"second"):
        write_classifier(tmp_path / "c", lambda path, w=weights: path.write_bytes(w), FIELDS)
    assert (tmp_path / "c" / "model.keras").read_bytes() == b"second"


def test_other_peoples_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(TrainingError, match="no classifier folder"):
        write_classifier(tmp_path, lambda path: path.write_bytes(b""), FIELDS)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_fails_while_saving_leaves_nothing(tmp_path: Path) -> None:
    def fail(_path: Path) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_classifier(tmp_path / "c", fail, FIELDS)
    assert list(tmp_path.iterdir()) == []


def test_an_evaluation_counts() -> None:
    confusion = Counter({("a", "a"): 8, ("a", "b"): 2, ("b", "b"): 5, ("b", "a"): 5})
    result = Evaluation(("a", "b", "c"), confusion, needs_review=3, errors=())
    assert result.total == 20
    assert result.accuracy == 0.65
    assert (result.recall("a"), result.recall("b"), result.recall("c")) == (0.8, 0.5, 0.0)
    assert result.precision("b") == pytest.approx(5 / 7)
    assert "| a | 10 | 0.80 | 0.62 | 8 | 2 | 0 |" in result.table()
    assert result.metrics("field")["field_accuracy"] == 0.65
