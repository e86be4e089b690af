"""The whole way from folders of images to a classifier on both runtimes, on a task that is easy to learn."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy.local.synthetic import render
from shared.contracts.manifest import MODEL_FILE, ONNX_FILE, ReviewReason
from worker.inference.errors import ModelFileChanged
from worker.inference.keras_classifier import KerasClassifier, load_model
from worker.inference.manifest import read_manifest
from worker.inference.onnx_classifier import OnnxClassifier
from worker.inference.preprocess import preprocess
from worker.training import export as exporting
from worker.training.crops import LearnedCrop
from worker.training.dataset import labelled_files
from worker.training.errors import TrainingError
from worker.training.evaluate import evaluate
from worker.training.export import export
from worker.training.fit import PROGRESS_FILE
from worker.training.plan import Schedule, TrainingPlan
from worker.training.train import train

CLASSES = ("powdery_mildew", "rust")
EPOCHS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaves")
    for kind in (*CLASSES, "other_disease"):
        (folder / kind).mkdir()
        for seed in range(24):
            drawn = "healthy" if kind == "other_disease" else kind
            render(drawn, (96, 96), seed).save(folder / kind / f"{seed}.png")
    return folder


def plan(folder: Path, out: Path, backbone: Path, epochs: int) -> TrainingPlan:
    schedule = Schedule(epochs=epochs, batch_size=8, learning_rate=3e-3, trainable_from="stem", seed=3)
    return TrainingPlan([folder], out, "easy", "1", backbone=backbone, command="train", schedule=schedule)


@pytest.fixture(scope="module")
def trained(folder: Path, small_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "easy"
    train(plan(folder, out, small_backbone, EPOCHS))
    return out


def test_a_training_that_is_told_the_crops_names_them(folder: Path, small_backbone: Path, tmp_path: Path) -> None:
    other = tmp_path / "vine"
    for kind in CLASSES:
        (other / kind).mkdir(parents=True)
        for seed in range(100, 108):
            render(kind, (96, 96), seed).rotate(90).save(other / kind / f"{seed}.png")
    grounds = tmp_path / "grounds"
    grounds.mkdir()
    Image.effect_noise((300, 200), 40).convert("RGB").save(grounds / "road.png")
    out = tmp_path / "crops"
    crops = [LearnedCrop(id="apple", folders=(folder.name,)), LearnedCrop(id="vine", terms="CC0", folders=("vine",))]
    crop_plan = replace(plan(folder, out, small_backbone, 1), data=[folder, other], crops=crops, grounds=[grounds])
    manifest = train(crop_plan)
    assert [(crop.id, crop.terms) for crop in manifest.crops] == [("apple", ""), ("vine", "CC0")]
    assert manifest.review_outputs[-1].reason is ReviewReason.UNKNOWN_CROP
    assert "| `vine` | vine | CC0 |" in (out / "README.md").read_text(encoding="utf-8")
    classifier = OnnxClassifier(out, batch_size=2)
    classifier.warm_up()
    found = classifier.classify(np.zeros((1, *manifest.input_size, 3), np.float32))
    assert found.crops is not None
    assert found.crops.sum() == pytest.approx(1, abs=1e-5)


def photo(folder: Path) -> bytes:
    return labelled_files([folder], CLASSES)[0].path.read_bytes()


def test_it_learns_and_what_it_learned_is_served(trained: Path, folder: Path) -> None:
    manifest = read_manifest(trained)
    assert manifest.labels == CLASSES
    assert manifest.schema_version == 2
    assert manifest.outputs is not None
    assert manifest.outputs.names == ("probabilities", "review", "map", "embedding")
    assert manifest.outputs.map_size == (12, 12)
    assert manifest.input_size == (48, 48)
    assert manifest.preprocessing.exif_orientation
    assert manifest.metrics["training_images"] == 66
    assert [o.name for o in manifest.review_outputs] == ["other_symptom", "not_a_leaf", "blurred", "unfamiliar"]
    for classifier in (KerasClassifier(trained, batch_size=8), OnnxClassifier(trained, batch_size=8)):
        classifier.warm_up()
        answers = evaluate(classifier, folder).answers
        assert answers.total == 48
        assert answers.accuracy >= 0.9


def test_a_folder_has_all_that_a_person_asks_for(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names == {"manifest.json", MODEL_FILE, ONNX_FILE, "README.md", "confusion.png", "reliability.png"}
    assert "accuracy **" in (trained / "README.md").read_text(encoding="utf-8")


def test_both_runtimes_give_the_same_numbers_for_any_batch(trained: Path) -> None:
    batch = np.random.default_rng(0).random((8, 48, 48, 3), dtype=np.float32) * 2 - 1
    keras, onnx = KerasClassifier(trained, batch_size=8), OnnxClassifier(trained, batch_size=8)
    assert keras.runtime.startswith("tensorflow ")
    assert onnx.runtime.startswith("onnxruntime ")
    for count in (1, 3, 8):
        np.testing.assert_allclose(onnx.classify(batch[:count]).rows, keras.classify(batch[:count]).rows, atol=1e-4)
    with pytest.raises(ValueError, match="1 to 8"):
        onnx.classify(np.zeros((9, 48, 48, 3), np.float32))


def test_a_changed_onnx_file_is_refused(trained: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(trained, tmp_path / "copy"))
    (copy / ONNX_FILE).write_bytes((copy / ONNX_FILE).read_bytes() + b"\0")
    with pytest.raises(ModelFileChanged):
        OnnxClassifier(copy, batch_size=1)


def test_an_export_that_differs_is_refused_and_leaves_the_folder_as_it_was(
    trained: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(trained, tmp_path / "copy"))
    photos = [f.path for f in labelled_files([folder], CLASSES)]
    before = {path.name: path.read_bytes() for path in copy.iterdir()}

    convert = exporting.write_onnx
    monkeypatch.setattr(exporting, "write_onnx", lambda _, path: convert(_doubled(copy), path))
    with pytest.raises(TrainingError, match=r"differ by"):
        export(copy, photos)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def _doubled(folder: Path) -> object:
    """The model with another head: what a wrong conversion would give."""
    from worker.training.network import HEAD

    model = load_model(folder / MODEL_FILE)
    layer = model.get_layer(HEAD)
    layer.set_weights([weight * 2 for weight in layer.get_weights()])
    return model


def test_an_export_needs_a_real_image(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"<html>")
    with pytest.raises(TrainingError, match="no readable image"):
        export(trained, [tmp_path / "x.jpg"])


def test_the_same_seed_gives_the_same_classifier(folder: Path, small_backbone: Path, tmp_path: Path) -> None:
    first, again = (train(plan(folder, tmp_path / name, small_backbone, 1)) for name in ("first", "again"))
    weights = [load_model(tmp_path / name / MODEL_FILE).get_weights() for name in ("first", "again")]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (first.review_outputs, first.metrics) == (again.review_outputs, again.metrics)


def test_a_training_that_was_stopped_goes_on(
    folder: Path, small_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.training import fit as fitting

    whole = train(plan(folder, tmp_path / "whole", small_backbone, 3))
    keep, kept = fitting._keep, []

    def stop_after_two(*arguments: object) -> None:
        keep(*arguments)  # type: ignore[arg-type]
        kept.append(arguments[-1])
        if len(kept) == 2:
            raise KeyboardInterrupt

    cut = plan(folder, tmp_path / "cut", small_backbone, 3)
    monkeypatch.setattr(fitting, "_keep", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    assert not cut.out.exists()
    assert (tmp_path / "cut.work" / PROGRESS_FILE).exists()
    resumed = train(cut)
    assert kept == [1, 2, 3], "the third epoch alone was trained after the stop"
    image = preprocess(photo(folder), whole.preprocessing, whole.input_size)[np.newaxis]
    rows = [KerasClassifier(tmp_path / name, batch_size=1).classify(image).rows for name in ("whole", "cut")]
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-3)
    assert resumed.metrics["training_images"] == whole.metrics["training_images"]


def test_a_training_on_other_pictures_begins_anew(
    folder: Path, small_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was learned before would be judged by pictures that it has seen."""
    from worker.training import fit as fitting

    leaves = Path(shutil.copytree(folder, tmp_path / "leaves"))
    epochs: list[object] = []
    keep = fitting._keep

    def noting(*arguments: object) -> None:
        keep(*arguments)  # type: ignore[arg-type]
        epochs.append(arguments[-1])

    monkeypatch.setattr(fitting, "_keep", noting)
    again = plan(leaves, tmp_path / "grown", small_backbone, 1)
    train(again)
    train(again)
    assert epochs == [1], "the same training is not repeated"
    render("rust", (96, 96), 99).save(leaves / "rust" / "new.png")
    assert train(again).metrics["training_images"] == 67
    assert epochs == [1, 1]


def test_a_schedule_of_another_seed_begins_anew(folder: Path, small_backbone: Path, tmp_path: Path) -> None:
    first = plan(folder, tmp_path / "same", small_backbone, 1)
    before = train(first)
    after = train(replace(first, schedule=replace(first.schedule, seed=4)))
    assert before.sha256 != after.sha256


def test_an_evaluation_of_files_that_cannot_be_read_ends_with_a_sentence(trained: Path, tmp_path: Path) -> None:
    for kind in CLASSES:
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match="None of the 2 images"):
        evaluate(OnnxClassifier(trained, batch_size=8), tmp_path)
