"""Classifiers in a real object store: what is read is what was published, or it is refused."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from shared.classifiers import registry
from shared.classifiers.bundle import fetch, publish, read_folder
from shared.contracts.manifest import MANIFEST_FILE, MODEL_FILE, ONNX_FILE, Manifest
from shared.db.session import Database
from shared.errors import ConfigurationError, Conflict
from shared.storage.keys import model_key
from shared.storage.s3 import S3Store


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return classifier_folder(tmp_path / "made", name=f"bundle-{tmp_path.name[-20:].replace('_', '-')}".lower())


def classifier_folder(folder: Path, **overrides: Any) -> Path:  # noqa: ANN401  # fields of a manifest
    folder.mkdir()
    (folder / MODEL_FILE).write_bytes(b"keras weights")
    (folder / ONNX_FILE).write_bytes(b"onnx weights")
    manifest = {
        "name": "bundle",
        "version": "1",
        "sha256": sha256(b"keras weights"),
        "onnx_sha256": sha256(b"onnx weights"),
        "classes": [{"id": "a"}, {"id": "b"}],
        "input_size": [8, 8],
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest | overrides), encoding="utf-8")
    return folder


def test_what_was_published_is_fetched_and_kept(folder: Path, store: S3Store, tmp_path: Path) -> None:
    manifest = publish(store, folder)
    copy = tmp_path / "cache" / manifest.name
    assert fetch(store, manifest.name, "1", copy) == manifest
    assert {p.name: p.read_bytes() for p in copy.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}
    written = (copy / MODEL_FILE).stat().st_mtime_ns
    fetch(store, manifest.name, "1", copy)
    assert (copy / MODEL_FILE).stat().st_mtime_ns == written
    (copy / MODEL_FILE).write_bytes(b"keras weig")  # A copy that was cut off.
    fetch(store, manifest.name, "1", copy)
    assert (copy / MODEL_FILE).read_bytes() == b"keras weights"


def test_an_object_that_is_not_the_one_of_its_manifest_is_refused(folder: Path, store: S3Store, tmp_path: Path) -> None:
    manifest = publish(store, folder)
    other = b"other weights"
    store.put(model_key(manifest.name, "1", ONNX_FILE), io.BytesIO(other), size=len(other))
    with pytest.raises(ConfigurationError, match=r"model\.onnx has the SHA-256"):
        fetch(store, manifest.name, "1", tmp_path / "cache")
    assert not (tmp_path / "cache" / ONNX_FILE).exists()


def test_what_is_not_published_is_said(store: S3Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="publish-classifier"):
        fetch(store, "nobody", "1", tmp_path / "cache")


def test_a_manifest_under_another_name_is_refused(folder: Path, store: S3Store, tmp_path: Path) -> None:
    publish(store, folder)
    text = (folder / MANIFEST_FILE).read_bytes()
    store.put(model_key("renamed", "9", MANIFEST_FILE), io.BytesIO(text), size=len(text))
    for name in (MODEL_FILE, ONNX_FILE):
        data = (folder / name).read_bytes()
        store.put(model_key(read_folder(folder).name, "1", name), io.BytesIO(data), size=len(data))
    with pytest.raises(ConfigurationError, match="publish it again"):
        fetch(store, "renamed", "9", tmp_path / "cache")
    assert not (tmp_path / "cache").exists(), "nothing of it is kept"


@pytest.mark.parametrize("broken", [MODEL_FILE, ONNX_FILE, MANIFEST_FILE])
def test_a_broken_folder_is_not_published(broken: str, folder: Path, store: S3Store) -> None:
    (folder / broken).write_bytes(b"{}")
    with pytest.raises(ConfigurationError):
        publish(store, folder)
    (folder / broken).unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        publish(store, folder)


def registered(database: Database, manifest: Manifest) -> Manifest:
    with database.begin() as session:
        return Manifest.model_validate(registry.register(session, manifest).manifest)


def test_an_onnx_file_may_be_added_to_a_version_and_never_replaced(database: Database, folder: Path) -> None:
    exported = read_folder(folder)
    plain = exported.model_copy(update={"onnx_sha256": None})
    assert registered(database, plain).onnx_sha256 is None
    assert registered(database, exported) == exported
    assert registered(database, plain) == exported
    with pytest.raises(Conflict, match=r"other weights \(model\.onnx, "):
        registered(database, exported.model_copy(update={"onnx_sha256": "0" * 64}))
    with pytest.raises(Conflict, match=r"other weights \(model\.keras, "):
        registered(database, exported.model_copy(update={"sha256": "0" * 64}))
