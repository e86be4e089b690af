"""The original service's ``model.joblib`` to a classifier folder.

Opening a pickle runs any code in it. That happens only in a child process: without secrets in its environment, with a
time limit, and with a temporary folder. Its result is a ``.keras`` file, which is opened here in safe mode and must
answer like a classifier before it is kept. A child process is not a sandbox: it may still read everything that this
user may read, so import only files of a source that you trust.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from shared.contracts.manifest import MODEL_FILE, Manifest, Preprocessing
from worker.inference.errors import ClassifierError
from worker.inference.isolation import scrubbed_environment
from worker.inference.keras_classifier import KerasClassifier, load_model
from worker.training.errors import TrainingError
from worker.training.labels import class_labels
from worker.training.write import check_target, write_classifier

# As the original service reads pictures: load_img(target_size=(180, 180)) / 255.
INPUT_SIZE = (180, 180)
PREPROCESSING = Preprocessing()
REVIEW_THRESHOLD = 0.6
TIMEOUT_SECONDS = 300.0
_ZLIB_STARTS = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
# Pickle protocols 2 to 5, or what joblib compresses with.
_JOBLIB_STARTS = (b"\x80", *_ZLIB_STARTS, b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\x00\x00", b"\x04\x22\x4d\x18")


def import_joblib(
    file: Path,
    out: Path,
    *,
    name: str,
    version: str,
    classes: Sequence[str],
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Manifest:
    """Write the classifier folder ``out`` from a pickled Keras model.

    Args:
        file: the joblib file.
        out: the folder to write.
        name: of the classifier.
        version: of the classifier.
        classes: ids in the order of the model's outputs.
        timeout_seconds: for the child that opens the pickle.

    Raises:
        TrainingError: the file is not a joblib of a Keras model, or its inputs or outputs do not fit.
    """
    check_target(out)
    _check_start(file)
    with tempfile.TemporaryDirectory(prefix="phytobatch-import-") as folder:
        model_file = Path(folder) / MODEL_FILE
        _convert(file.resolve(), model_file, timeout_seconds)
        _check_outputs(model_file, len(classes))
        draft = Path(folder) / "classifier"
        manifest = write_classifier(
            draft,
            lambda path: shutil.copyfile(model_file, path),
            {
                "name": name,
                "version": version,
                "classes": class_labels(classes),
                "input_size": INPUT_SIZE,
                "preprocessing": PREPROCESSING,
                "review_threshold": REVIEW_THRESHOLD,
                "description": f"Imported from {file.name}.",
                "training_command": f"python -m worker.training import-joblib {file.name}",
            },
        )
        _check_answers(draft)
        out.mkdir(parents=True, exist_ok=True)
        shutil.copytree(draft, out, dirs_exist_ok=True)
    return manifest


def _check_start(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            start = opened.read(8)
    except OSError as error:
        raise TrainingError(f"{file} cannot be read ({error.strerror}).") from error
    if not start.startswith(_JOBLIB_STARTS):
        raise TrainingError(f"{file} is not a joblib file; a .keras file needs no import, only a manifest.json.")


def _convert(file: Path, model_file: Path, timeout_seconds: float) -> None:
    command = [sys.executable, "-m", "worker.training.joblib_child", str(file), str(model_file)]
    environment = scrubbed_environment() | {"TF_CPP_MIN_LOG_LEVEL": "2", "HOME": str(model_file.parent)}
    try:
        child = subprocess.run(  # noqa: S603  # our own module
            command, env=environment, cwd=model_file.parent, timeout=timeout_seconds, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TrainingError(f"Opening {file} took longer than {timeout_seconds:g} s and was stopped.") from error
    if child.returncode < 0:
        raise TrainingError(
            f"{file} cannot be imported: the process that opened it was ended by signal {-child.returncode}. A pickle "
            f"with functions in it opens only with the version of Python that wrote it, and this is "
            f"{sys.version_info.major}.{sys.version_info.minor}: import it there; the folder that comes out serves "
            "everywhere."
        )
    if child.returncode != 0 or not model_file.is_file():
        lines = child.stderr.decode(errors="replace").strip().splitlines() or [f"status {child.returncode}"]
        raise TrainingError(f"{file} cannot be imported: {lines[-1][:500]}")


def _check_outputs(model_file: Path, classes: int) -> None:
    model = load_model(model_file)
    shape = getattr(model, "output_shape", None)
    if not isinstance(shape, tuple) or shape[-1] != classes:
        outputs = shape[-1] if isinstance(shape, tuple) else shape
        raise TrainingError(f"The model has {outputs} outputs, but --classes names {classes} classes.")


def _check_answers(folder: Path) -> None:
    try:
        KerasClassifier(folder, batch_size=2).warm_up()
    except ClassifierError as error:
        raise TrainingError(f"The model in the file cannot serve: {error}") from error
