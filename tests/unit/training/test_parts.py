from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.contracts.manifest import Manifest
from worker.inference.manifest import read_manifest, verify_model_file
from worker.training.augment import augment
from worker.training.card import card
from worker.training.errors import TrainingError
from worker.training.figures import CONFUSION_FILE, RELIABILITY_FILE, draw
from worker.training.labels import class_labels, read_labels
from worker.training.measure import Answers
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


def test_names_and_codes_can_be_given(tmp_path: Path) -> None:
    file = tmp_path / "labels.json"
    file.write_text('[{"id": "rust", "names": {"en": "apple rust", "pt": "ferrugem"}, "eppo_code": "GYMNJV"}]')
    rust, healthy = class_labels(("rust", "healthy"), read_labels(file))
    assert (rust.names["pt"], rust.eppo_code) == ("ferrugem", "GYMNJV")
    assert healthy.names["es"] == "sana"


@pytest.mark.parametrize(("text", "words"), [("{}", "list"), ('[{"id": "a", "eppo": "X"}]', "eppo"), ("no", "JSON")])
def test_a_file_of_names_that_is_wrong_is_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(TrainingError, match=words):
        read_labels(tmp_path / "labels.json")
    with pytest.raises(TrainingError, match="cannot be read"):
        read_labels(tmp_path / "gone.json")


def answers() -> Answers:
    """a: 8 of 10 right, the others taken for b; b: 5 of 10 right, the others taken for a; c: none."""
    labels = np.repeat([0, 1], 10)
    said = np.array([0] * 8 + [1] * 2 + [1] * 5 + [0] * 5)
    return Answers(("a", "b", "c"), labels, said, np.full(20, 0.65), np.arange(20) < 3)


def test_answers_are_counted() -> None:
    found = answers()
    assert (found.total, found.accuracy) == (20, 0.65)
    assert (found.recall(0), found.recall(1), found.recall(2)) == (0.8, 0.5, 0.0)
    assert found.precision(1) == pytest.approx(5 / 7)
    assert found.f1(0) == pytest.approx(2 * 8 / (10 + 13))
    assert found.calibration_error == pytest.approx(0.0, abs=1e-9)
    assert "| a | 10 | 0.800 | 0.615 | 0.696 | 8 | 2 | 0 |" in found.table()
    assert found.metrics("field")["field_accuracy"] == 0.65
    assert found.only(found.labels == 1).accuracy == 0.5


def test_the_card_says_what_was_measured_and_what_is_not_known() -> None:
    manifest = Manifest(**FIELDS, sha256="0" * 64, training_command="python -m worker.training train")
    text = card(manifest, answers(), {"farm/a": answers()}, {"farm/a": 200}, "## Terms\nOurs.")
    for words in ("accuracy **0.650**", "| farm/a | 200 | 20 | 0.650 |", "## Terms", "`low_confidence`", "train"):
        assert words in text


@pytest.mark.slow
def test_the_figures_are_pictures(tmp_path: Path) -> None:
    draw(answers(), tmp_path)
    for name in (CONFUSION_FILE, RELIABILITY_FILE):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 300
