"""The whole way from folders of images to a classifier that serves, on a task that is easy to learn."""

from pathlib import Path

import numpy as np
import pytest

from deploy.local.synthetic import render
from worker.inference.keras_classifier import KerasClassifier
from worker.inference.manifest import read_manifest
from worker.inference.preprocess import preprocess
from worker.training.dataset import labelled_files
from worker.training.evaluate import evaluate
from worker.training.fit import Schedule
from worker.training.train import TrainingPlan, train

CLASSES = ("powdery_mildew", "rust")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaves")
    for kind in CLASSES:
        (folder / kind).mkdir()
        for seed in range(24):
            render(kind, (64, 64), seed).save(folder / kind / f"{seed}.png")
    return folder


def plan(folder: Path, out: Path, epochs: int) -> TrainingPlan:
    schedule = Schedule(epochs=epochs, batch_size=8, learning_rate=3e-3, seed=3)
    return TrainingPlan([folder], out, "easy", "1", image_edge=48, command="train", schedule=schedule)


def test_it_learns_and_what_it_learned_is_served(folder: Path, tmp_path: Path) -> None:
    manifest = train(plan(folder, tmp_path / "easy", epochs=8))
    assert manifest == read_manifest(tmp_path / "easy")
    assert manifest.labels == CLASSES
    assert manifest.input_size == (48, 48)
    assert manifest.preprocessing.exif_orientation
    assert manifest.metrics["training_images"] == 44
    classifier = KerasClassifier(tmp_path / "easy", batch_size=8)
    classifier.warm_up()
    assert evaluate(classifier, folder).accuracy >= 0.9


def test_the_same_seed_gives_the_same_classifier(folder: Path, tmp_path: Path) -> None:
    photo = labelled_files([folder], CLASSES)[0].path.read_bytes()
    answers = []
    for name in ("first", "again"):
        manifest = train(plan(folder, tmp_path / name, epochs=1))
        classifier = KerasClassifier(tmp_path / name, batch_size=1)
        answers.append(classifier.classify(preprocess(photo, manifest.preprocessing, manifest.input_size)[np.newaxis]))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)
