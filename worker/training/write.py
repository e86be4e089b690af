"""A classifier folder, written whole or not at all."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.contracts.manifest import (
    INT8_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    ONNX_FILE,
    ClassifierName,
    ClassifierVersion,
    Manifest,
)
from worker.inference.manifest import file_sha256
from worker.training.errors import TrainingError


def write_classifier(out: Path, save_model: Any, fields: dict[str, Any]) -> Manifest:  # noqa: ANN401  # a callable that takes a path
    """Write ``model.keras`` by ``save_model(path)`` and ``manifest.json`` from ``fields`` and its SHA-256.

    Raises:
        TrainingError: ``out`` exists and is not a classifier folder.
        pydantic.ValidationError: the fields do not make a manifest.
    """
    check_target(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as folder:
        draft = Path(folder)
        save_model(draft / MODEL_FILE)
        manifest = Manifest(sha256=file_sha256(draft / MODEL_FILE), **fields)
        write_manifest(draft, manifest)
        out.mkdir(exist_ok=True)
        for name in (ONNX_FILE, INT8_FILE):  # Those of the model that is replaced.
            (out / name).unlink(missing_ok=True)
        for name in (MODEL_FILE, MANIFEST_FILE):
            shutil.move(draft / name, out / name)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def printable(text: str) -> str:
    """Make text valid UTF-8: undecodable bytes of names and arguments become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def check_identity(name: str, version: str) -> None:
    """Refuse an invalid name or version before an hour of training.

    Raises:
        TrainingError: one of them is invalid.
    """
    for what, value, kind in (("--name", name, ClassifierName), ("--version", version, ClassifierVersion)):
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            raise TrainingError(f"{what} {value!r}: {error.errors()[0]['msg']}.") from error


def check_target(out: Path) -> None:
    """Refuse a folder that holds something else before an hour of training.

    Raises:
        TrainingError: ``out`` is a file, or a folder with other things in it and no manifest.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / MANIFEST_FILE).exists()):
        raise TrainingError(f"{out} exists and is no classifier folder; name another --out.")
