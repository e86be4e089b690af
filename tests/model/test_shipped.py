"""The classifier that is shipped, and the command that uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.synthetic import write_set
from worker.inference.keras_classifier import KerasClassifier
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.training.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]
SIZE_LIMIT = 6 * 1024 * 1024


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
    assert result.total == metrics["apple_field_validation_images"] == 60
    assert result.accuracy >= metrics["apple_field_validation_accuracy"] - 1e-4  # The manifest has four decimals.
    assert result.accuracy >= 0.88  # The classifier that it replaces.
    assert result.errors == ()


def test_the_model_card_says_the_recorded_accuracy() -> None:
    folder = shipped_classifier_dir()
    card = (folder / "README.md").read_text(encoding="utf-8")
    manifest = read_manifest(folder)
    assert f"{manifest.metrics['apple_field_validation_accuracy']:.2f}" in card
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
    assert "1 of 1 classified by leaf-small" in done.stdout


def test_it_recognises_most_synthetic_leaves(shipped: KerasClassifier, tmp_path: Path) -> None:
    """Enough for a demonstration without a camera; it was not trained on them."""
    for path in write_set(tmp_path, 45, size=(480, 360), seed=2):
        folder = tmp_path / path.stem.split("_", 2)[2]
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    assert evaluate(shipped, tmp_path).accuracy > 0.6
