"""The original service's pickle, opened in a throw-away process."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shared.contracts.manifest import Decode, ResizeFilter
from tests.patience import PATIENCE_SECONDS
from worker.inference.keras_classifier import KerasClassifier
from worker.inference.manifest import read_manifest
from worker.inference.preprocess import preprocess
from worker.training.errors import TrainingError
from worker.training.import_joblib import import_joblib

CLASSES = ("saludable", "powdery", "rush")


# The pickle holds functions, whose code another version of Python cannot read: joblib ends with a segmentation fault.
WRITTEN_BY = (3, 11)
of_its_python = pytest.mark.skipif(
    sys.version_info[:2] != WRITTEN_BY, reason="the original pickle opens only with Python 3.11, which wrote it"
)


class Spy:
    """What an attacker would put into a pickle: it writes down the environment that it sees."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def __reduce__(self) -> tuple[object, tuple[str]]:
        code = f"open({str(self._note)!r}, 'w').write(repr(dict(__import__('os').environ)))"
        return exec, (code,)


def run(file: Path, out: Path, classes: tuple[str, ...] = CLASSES, timeout_seconds: float = 300) -> None:
    import_joblib(file, out, name="original-cnn", version="1", classes=classes, timeout_seconds=timeout_seconds)


def as_the_original_service_answers(file: Path, photos: list[Path]) -> list[list[float]]:
    """The original's own lines, in a process that is thrown away: unpickle, load_img, / 255, call."""
    program = (
        "import json, sys, joblib, keras, numpy as np\n"
        "model = joblib.load(sys.argv[1])\n"
        "load = lambda p: keras.utils.img_to_array(keras.utils.load_img(p, target_size=(180, 180))) / 255\n"
        "rows = model(np.stack([load(p) for p in sys.argv[2:]]), training=False)\n"
        "print(json.dumps(np.asarray(rows).tolist()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, file, *photos],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    rows: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return rows


@of_its_python
def test_the_import_answers_as_the_original_service_does(
    data: Path, validation_photos: list[Path], full_size_photos: list[Path], tmp_path: Path
) -> None:
    file = data / "models/original-cnn/model.joblib"
    photos = validation_photos[::4] + full_size_photos[::3]
    run(file, tmp_path / "imported")
    manifest = read_manifest(tmp_path / "imported")
    assert manifest.labels == CLASSES
    assert manifest.input_size == (180, 180)
    assert manifest.preprocessing.decode is Decode.FULL
    assert manifest.preprocessing.resize is ResizeFilter.NEAREST
    assert not manifest.preprocessing.exif_orientation
    imported = KerasClassifier(tmp_path / "imported", batch_size=len(photos))
    batch = np.stack([preprocess(p.read_bytes(), manifest.preprocessing, manifest.input_size) for p in photos])
    wanted = as_the_original_service_answers(file, photos)
    np.testing.assert_allclose(imported.classify(batch).rows, wanted, atol=1e-5, rtol=0)


@of_its_python
def test_the_wrong_number_of_classes_is_said(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="3 outputs, but --classes names 2"):
        run(data / "models/original-cnn/model.joblib", tmp_path / "out", ("a", "b"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"plain text", b"PK\x03\x04 a keras file"])
def test_what_is_no_joblib_is_said_without_opening_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(content)
    with pytest.raises(TrainingError, match="not a joblib file"):
        run(tmp_path / "model.joblib", tmp_path / "out")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        run(tmp_path / "gone.joblib", tmp_path / "out")


@pytest.mark.parametrize(("thing", "words"), [({"a": 1}, "holds a dict"), ([1, 2], "holds a list")])
def test_another_pickle_is_said(thing: object, words: str, tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(pickle.dumps(thing))
    with pytest.raises(TrainingError, match=words):
        run(tmp_path / "model.joblib", tmp_path / "out")


def test_a_cut_pickle_is_said(data: Path, tmp_path: Path) -> None:
    whole = (data / "models/original-cnn/model.joblib").read_bytes()
    (tmp_path / "model.joblib").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="cannot be imported"):
        run(tmp_path / "model.joblib", tmp_path / "out")


def test_code_in_a_pickle_sees_no_secrets_and_makes_no_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHYTOBATCH_S3_SECRET_ACCESS_KEY", "do-not-tell")
    note = tmp_path / "note"
    (tmp_path / "model.joblib").write_bytes(pickle.dumps(Spy(note)))
    with pytest.raises(TrainingError, match="NoneType"):
        run(tmp_path / "model.joblib", tmp_path / "out")
    assert "PATH" in note.read_text()  # It did run, in the child,
    assert "do-not-tell" not in note.read_text()  # and found nothing to tell.


def test_a_pickle_that_never_ends_is_stopped(tmp_path: Path) -> None:
    class Sleeper:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("import time; time.sleep(600)",)

    (tmp_path / "model.joblib").write_bytes(pickle.dumps(Sleeper()))
    with pytest.raises(TrainingError, match="longer than 2 s"):
        run(tmp_path / "model.joblib", tmp_path / "out", timeout_seconds=2)


class Dying:
    """A pickle that ends the process that opens it, as one of another version of Python may."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("import os; os.abort()",)


def test_a_pickle_that_ends_its_process_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(pickle.dumps(Dying()))
    with pytest.raises(TrainingError, match=r"ended by signal 6\. .*the version of Python that wrote it"):
        run(tmp_path / "model.joblib", tmp_path / "out")
    assert not (tmp_path / "out").exists()
