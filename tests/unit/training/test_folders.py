"""Names of class folders, as people and published sets give them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from shared.contracts.manifest import CLASS_ID
from tests.patience import PATIENCE_SECONDS
from worker.training.dataset import labelled_files
from worker.training.errors import TrainingError
from worker.training.folders import chosen_classes, class_folders, class_id
from worker.training.labels import class_labels
from worker.training.plan import NOT_A_LEAF_FOLDER, OTHER_SYMPTOM_FOLDER
from worker.training.write import check_identity

REVIEW = (OTHER_SYMPTOM_FOLDER, NOT_A_LEAF_FOLDER)
# PlantVillage's names, one with accents, and what lies beside them on disks of people.
FOLDERS = {
    "Apple___Cedar_apple_rust": "Apple___Cedar_apple_rust",
    "Corn_(maize)___Common_rust_": "Corn_maize_Common_rust",
    "Corn_(maize)___Cercospora_leaf_spot Gray_leaf_spot": "Corn_maize_Cercospora_leaf_spot_Gray_leaf_spot",
    "Pepper,_bell___healthy": "Pepper_bell_healthy",
    "roya \u00f1and\u00fa": "roya_nandu",
}
HIDDEN = (".ipynb_checkpoints", "__MACOSX", "@eaDir")


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in (*FOLDERS, *HIDDEN):
        picture(tmp_path / name / "1.png")
        picture(tmp_path / name / "._1.png")
    return tmp_path


def test_names_of_sets_get_ids_that_a_manifest_may_have_and_hidden_folders_are_passed_over(data: Path) -> None:
    named = class_folders([data])
    assert named == {found: name for name, found in FOLDERS.items()}
    assert all(re.fullmatch(CLASS_ID, found) for found in named)
    classes = chosen_classes((), named, review=REVIEW)
    assert [label.id for label in class_labels(classes, folder_names=named)] == sorted(FOLDERS.values())
    assert class_labels(["Corn_maize_Common_rust"], folder_names=named)[0].names == {"en": "Corn (maize) Common rust"}


def test_the_images_of_a_folder_are_found_by_its_id_and_by_its_name(data: Path) -> None:
    for name, found in FOLDERS.items():
        for asked in (name, found):
            assert next(f.path for f in labelled_files([data], (asked, "Pepper_bell_healthy"))) == data / name / "1.png"


def test_a_name_in_two_forms_of_unicode_is_one_class(tmp_path: Path) -> None:
    for folder, name in (("a", "r\u00fcst"), ("b", "ru\u0308st"), ("a", "healthy")):
        picture(tmp_path / folder / name / "1.png")
    folders = [tmp_path / "a", tmp_path / "b"]
    assert list(class_folders(folders)) == ["healthy", "rust"]
    assert len(labelled_files(folders, ("healthy", "rust"))) == 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("roya \u00f1and\u00fa", "roya nandu", "x"), "The folders roya nandu and roya \u00f1and\u00fa would both be"),
        (("\u9508\u75c5", "x", "y"), "The folder \u9508\u75c5 has no letter"),
        (("a" * 70 + "b", "a" * 70 + "c"), "would both be"),
        (("rust", ".hidden"), "at least two folders"),
    ],
)
def test_folders_that_cannot_be_classes_are_refused_by_name(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(TrainingError, match=said):
        class_folders([tmp_path])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [(("rust",), "at least two"), (("rust", "healthy", "rust"), "named twice"), (("!", "x"), "no letter")],
)
def test_classes_that_make_no_classifier_are_refused(wanted: tuple[str, ...], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        chosen_classes(wanted, {"rust": "rust", "healthy": "healthy"}, review=REVIEW)


def test_what_is_for_review_is_no_class() -> None:
    named = {name: name for name in ("healthy", "other_disease", "rust")}
    assert chosen_classes((), named, review=REVIEW) == ("healthy", "rust")
    assert chosen_classes((), {**named, "not_a_leaf": "not a leaf"}, review=("x", "not a leaf")) == tuple(named)


@pytest.mark.parametrize(("name", "version"), [("My Vine", "1"), ("vine", "1 beta"), ("", "1")])
def test_a_name_that_no_manifest_may_have_is_refused_before_the_training(name: str, version: str) -> None:
    with pytest.raises(TrainingError, match="--"):
        check_identity(name, version)
    check_identity("vine", "1")


@pytest.mark.skipif(os.name == "nt", reason="names of files are bytes on Unix alone")
def test_a_folder_whose_name_is_no_utf8_is_a_class(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"roya \xf1")).mkdir()
    (tmp_path / "healthy").mkdir()
    assert class_folders([tmp_path]) == {"healthy": "healthy", "roya": "roya \ufffd"}
    assert class_id("roya \ufffd") == "roya"


@pytest.mark.slow
def test_the_command_says_it_before_tensorflow_is_imported(data: Path, tmp_path: Path) -> None:
    """Each folder has one image: the class is named, and nothing was read or written."""
    command = [sys.executable, "-X", "importtime", "-m", "worker.training", "train", "--data", str(data)]
    options = ["--out", str(tmp_path / "out"), "--name", "vine", "--version", "1"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 1
    assert "at least two images" in done.stderr
    assert "Traceback" not in done.stderr
    assert "the folder roya \u00f1and\u00fa is the class roya_nandu" in " ".join(done.stderr.split())
    assert " tensorflow\n" not in done.stderr
    assert not (tmp_path / "out.work").exists()
