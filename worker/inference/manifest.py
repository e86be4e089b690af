"""A classifier folder: ``manifest.json``, ``model.keras`` and, if exported, ``model.onnx`` and ``model.int8.onnx``."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from shared.contracts.manifest import INT8_FILE, MANIFEST_FILE, MODEL_FILE, Manifest
from worker.inference.errors import ClassifierNotFound, ManifestInvalid, ModelFileChanged

SHIPPED_CLASSIFIER = "leaf"


def shipped_classifier_dir() -> Path:
    """Return the folder of the classifier that comes with the program."""
    return Path(__file__).resolve().parent.parent / "classifiers" / SHIPPED_CLASSIFIER


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json`` of a classifier folder; the model is not opened.

    Raises:
        ClassifierNotFound: the folder or the file is not there or not readable.
        ManifestInvalid: the file is not a manifest; the message names the fields.
    """
    path = folder / MANIFEST_FILE
    try:
        text = path.read_bytes()
    except OSError as error:
        msg = (
            f"{path} cannot be read ({error.strerror}); a classifier is a folder with {MANIFEST_FILE} and {MODEL_FILE}."
        )
        raise ClassifierNotFound(msg) from error
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ManifestInvalid(f"{path} is not a manifest: {fields}.") from error


def verify_model_file(folder: Path, manifest: Manifest, name: str = MODEL_FILE) -> Path:
    """Compare the SHA-256 of a model file with the manifest's; return its path.

    Raises:
        ClassifierNotFound: the file is not there or not readable, or the manifest names none.
        ModelFileChanged: the SHA-256 differs.
    """
    path = folder / name
    expected = manifest.model_files.get(name)
    if expected is None:
        option = " --int8" if name == INT8_FILE else ""
        raise ClassifierNotFound(
            f"{folder} has no {name}; write it with `python -m worker.training export {folder}{option}`, or take "
            "another runtime."
        )
    try:
        actual = file_sha256(path)
    except OSError as error:
        raise ClassifierNotFound(f"{path} cannot be read ({error.strerror}).") from error
    if actual != expected:
        msg = (
            f"{path} has the SHA-256 {actual}, its manifest says {expected}: "
            "the file was changed or copied in part; restore it, or write the manifest again with the training command."
        )
        raise ModelFileChanged(msg)
    return path
