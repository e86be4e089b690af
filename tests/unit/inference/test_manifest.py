import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts.manifest import MODEL_FILE, Manifest
from worker.inference.errors import ClassifierNotFound, ManifestInvalid, ModelFileChanged
from worker.inference.manifest import file_sha256, read_manifest, shipped_classifier_dir, verify_model_file

ManifestFactory = Callable[..., Manifest]


@pytest.fixture
def folder(tmp_path: Path, make_manifest: ManifestFactory) -> Path:
    (tmp_path / MODEL_FILE).write_bytes(b"weights")
    manifest = make_manifest(sha256=file_sha256(tmp_path / MODEL_FILE))
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
    return tmp_path


def test_a_whole_folder_is_read_and_verified(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest.labels == ("red", "green", "blue")
    assert verify_model_file(folder, manifest) == folder / MODEL_FILE


def test_a_changed_model_is_refused(folder: Path) -> None:
    (folder / MODEL_FILE).write_bytes(b"weightz")
    with pytest.raises(ModelFileChanged, match="SHA-256"):
        verify_model_file(folder, read_manifest(folder))


@pytest.mark.parametrize("name", ["manifest.json", MODEL_FILE])
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(ClassifierNotFound, match=name):
        verify_model_file(folder, read_manifest(folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"preprocesing": {}}, "preprocesing"),
        ({"classes": []}, "classes"),
        ({"input_size": [0, 180]}, "input_size"),
        ({"preprocessing": {"resize": "box"}}, "preprocessing.resize"),
        ({"sha256": "abc"}, "sha256"),
    ],
)
def test_a_manifest_with_a_mistake_names_the_field(change: dict[str, object], words: str, folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ManifestInvalid, match=words):
        read_manifest(folder)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[]"])
def test_what_is_no_json_object_is_invalid(text: bytes, folder: Path) -> None:
    (folder / "manifest.json").write_bytes(text)
    with pytest.raises(ManifestInvalid, match="manifest"):
        read_manifest(folder)


def test_the_shipped_classifier_is_whole() -> None:
    folder = shipped_classifier_dir()
    manifest = read_manifest(folder)
    verify_model_file(folder, manifest)
    assert manifest.labels == ("healthy", "powdery_mildew", "rust")
    assert all({"en", "es", "de", "fr"} <= c.names.keys() for c in manifest.classes)
