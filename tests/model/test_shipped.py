"""The classifier that is shipped, and the command that uses it."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deploy.local.synthetic import write_set
from shared.contracts.manifest import ReviewReason
from tests.benchmarks.served import interpret_files, interpret_pictures
from worker.inference.keras_classifier import KerasClassifier
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import preprocess
from worker.inference.runtime import open_classifier
from worker.training.evaluate import evaluate
from worker.training.negatives import junk

ROOT = Path(__file__).resolve().parents[2]
NO_LEAF = {ReviewReason.NOT_A_LEAF, ReviewReason.BLURRED, ReviewReason.OTHER_SYMPTOM}
SIZE_LIMIT = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def shipped() -> KerasClassifier:
    classifier = KerasClassifier(shipped_classifier_dir(), batch_size=16)
    classifier.warm_up()
    return classifier


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "worker.inference", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_small_enough_for_the_repository() -> None:
    assert sum(f.stat().st_size for f in shipped_classifier_dir().iterdir()) < SIZE_LIMIT


def test_it_is_as_good_as_its_manifest_says(shipped: KerasClassifier, data: Path) -> None:
    result = evaluate(shipped, data / "leaves/apple-field/validation")
    metrics = read_manifest(shipped_classifier_dir()).metrics
    assert result.answers.total == metrics["apple_field_validation_images"] == 60
    assert result.answers.accuracy >= metrics["apple_field_validation_accuracy"] - 1e-4  # Four decimals there.
    assert result.answers.accuracy >= 0.98
    assert result.errors == ()


def test_the_model_card_says_the_recorded_accuracy() -> None:
    folder = shipped_classifier_dir()
    card = (folder / "README.md").read_text(encoding="utf-8")
    manifest = read_manifest(folder)
    assert f"accuracy **{manifest.metrics['held_out_accuracy']:.3f}**" in card
    assert manifest.training_command.split(" --")[0] in card


def test_the_command_classifies_photos_as_json(tmp_path: Path) -> None:
    photos = write_set(tmp_path, 3, size=(320, 240), broken=1)
    done = command("--json", tmp_path)
    assert done.returncode == 3, done.stderr
    lines = {line["file"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(lines) == set(map(str, photos))
    for photo in photos[:3]:
        line = lines[str(photo)]
        assert line["status"] == "succeeded"
        assert line["confidence"] == max(line["probabilities"].values()) == line["probabilities"][line["label"]]
        assert set(line["probabilities"]) == {"healthy", "powdery_mildew", "rust"}
        assert isinstance(line["needs_review"], bool)
        assert line["error"] is None
    broken = lines[str(photos[3])]
    assert (broken["status"], broken["label"], broken["error"]["code"]) == ("failed", None, "truncated")


def test_the_command_prints_a_table_for_people(tmp_path: Path) -> None:
    (photo,) = write_set(tmp_path, 1, size=(320, 240))
    done = command(photo)
    assert done.returncode == 0
    assert done.stderr == ""  # Nothing of TensorFlow's log.
    assert str(photo) in done.stdout
    assert "1 of 1 classified by leaf 1" in done.stdout


def test_it_knows_most_synthetic_leaves_or_asks(tmp_path: Path) -> None:
    """Enough for a demonstration without a camera; it was not trained on them."""
    classifier = open_classifier(shipped_classifier_dir(), batch_size=16)
    for path in write_set(tmp_path, 45, size=(480, 360), seed=2):
        folder = tmp_path / path.stem.split("_", 2)[2]
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    answers = evaluate(classifier, tmp_path).answers
    assert answers.accuracy > 0.6
    assert (answers.right | answers.review).mean() > 0.8


def test_both_runtimes_give_the_same_answers(shipped: KerasClassifier, validation_photos: list[Path]) -> None:
    manifest = shipped.manifest
    onnx = OnnxClassifier(shipped_classifier_dir(), batch_size=16)
    for start in (0, 16, 32):
        photos = validation_photos[start : start + 16]
        batch = np.stack([preprocess(p.read_bytes(), manifest.preprocessing, manifest.input_size) for p in photos])
        np.testing.assert_allclose(onnx.classify(batch).rows, shipped.classify(batch).rows, atol=1e-4)


def test_it_asks_for_a_person_where_there_is_no_leaf(data: Path) -> None:
    """Eight of nine drone photographs, and everything that is no photograph at all."""
    classifier = open_classifier(shipped_classifier_dir(), batch_size=16)
    drone = sorted(path for path in (data / "drone").rglob("*") if path.suffix.lower() == ".jpg")
    found = interpret_files(classifier, drone)
    assert sum(one.review_reason in NO_LEAF for one in found) >= len(drone) - 1
    rng = np.random.default_rng(77)
    made = interpret_pictures(classifier, [junk((300, 400), rng) for _ in range(100)])
    assert sum(one.needs_review for one in made) >= 99


def test_blurred_leaves_ask_for_a_person(validation_photos: list[Path]) -> None:
    classifier = open_classifier(shipped_classifier_dir(), batch_size=16)
    pictures = []
    for photo in validation_photos:
        with Image.open(photo) as image:
            pictures.append(np.asarray(image.convert("RGB").filter(ImageFilter.GaussianBlur(5))))
    found = interpret_pictures(classifier, pictures)
    assert sum(one.needs_review for one in found) >= 0.95 * len(found)
    assert sum(one.review_reason is ReviewReason.BLURRED for one in found) >= 0.8 * len(found)


def test_the_answer_hardly_depends_on_the_size_of_the_file(full_size_photos: list[Path]) -> None:
    classifier = open_classifier(shipped_classifier_dir(), batch_size=16)
    manifest = classifier.manifest
    for photo in full_size_photos:
        rows = []
        with Image.open(photo) as image:
            for edge in (4000, 1000, 256):
                small = image.convert("RGB")
                small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
                stream = io.BytesIO()
                small.save(stream, "JPEG", quality=90)
                rows.append(preprocess(stream.getvalue(), manifest.preprocessing, manifest.input_size))
        outputs = classifier.classify(np.stack(rows)).rows[:, : len(manifest.classes)]
        assert np.ptp(outputs, axis=0).max() <= 0.1, photo.name
