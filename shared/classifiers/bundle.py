"""Classifier folders, on disk and below ``models/NAME/VERSION/`` in the object store; their files are verified."""

import hashlib
from io import BytesIO
from pathlib import Path

from pydantic import ValidationError

from shared.contracts.manifest import MANIFEST_FILE, MODEL_FILE, Manifest
from shared.errors import ConfigurationError, ObjectMissing
from shared.storage.keys import model_key
from shared.storage.store import ObjectStore

# A larger model is a mistake, or would fill the memory of its reader.
MAX_MODEL_BYTES = 2 * 1024**3
MAX_MANIFEST_BYTES = 1024**2


def read_folder(folder: Path) -> Manifest:
    """Read the manifest of a classifier folder and verify its model files. No runtime is needed.

    Raises:
        ConfigurationError: a file is missing, is not a manifest, or differs from it.
    """
    try:
        manifest = _parse((folder / MANIFEST_FILE).read_bytes(), str(folder / MANIFEST_FILE))
        for name, sha256 in manifest.model_files.items():
            with (folder / name).open("rb") as file:
                _check(str(folder / name), hashlib.file_digest(file, "sha256").hexdigest(), sha256)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be read ({error.strerror}); a classifier is a folder with {MANIFEST_FILE} and "
            f"{MODEL_FILE}"
        ) from error
    return manifest


def publish(store: ObjectStore, folder: Path) -> Manifest:
    """Copy a classifier folder into the object store. Idempotent: repeating it writes the same objects again.

    Raises:
        ConfigurationError: as ``read_folder``.
        StoreUnavailable: the object store is away.
    """
    manifest = read_folder(folder)
    # The manifest last: if it exists, everything else does.
    for name in (*manifest.model_files, MANIFEST_FILE):
        data = (folder / name).read_bytes()
        key = model_key(manifest.name, manifest.version, name)
        store.put(key, BytesIO(data), size=len(data), sha256=hashlib.sha256(data).digest())
    return manifest


def fetch(store: ObjectStore, name: str, version: str, folder: Path) -> Manifest:
    """Copy a published classifier into ``folder``; an existing whole copy is used as it is.

    Raises:
        ConfigurationError: it is not published, or its files differ from its manifest.
        StoreUnavailable: the object store is away.
    """
    title = f"models/{name}/{version}"
    try:
        text = store.get(model_key(name, version, MANIFEST_FILE), max_bytes=MAX_MANIFEST_BYTES)
        manifest = _parse(text, f"{title}/{MANIFEST_FILE}")
        if (manifest.name, manifest.version) != (name, version):
            raise ConfigurationError(f"{title} holds {manifest.name} {manifest.version}; publish it again")
        folder.mkdir(parents=True, exist_ok=True)
        for file, sha256 in manifest.model_files.items():
            _fetch_file(store, manifest, file, sha256, folder / file)
    except ObjectMissing as error:
        raise ConfigurationError(
            f"there is no {title} in the bucket; put it there with `python -m api.admin publish-classifier FOLDER`"
        ) from error
    (folder / MANIFEST_FILE).write_bytes(text)
    return manifest


def _fetch_file(store: ObjectStore, manifest: Manifest, name: str, sha256: str, path: Path) -> None:
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return
    key = model_key(manifest.name, manifest.version, name)
    data = store.get(key, max_bytes=MAX_MODEL_BYTES)
    _check(key, hashlib.sha256(data).hexdigest(), sha256)
    draft = path.with_name(f"made-{path.name}")
    draft.write_bytes(data)
    draft.replace(path)


def _parse(text: bytes, where: str) -> Manifest:
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{where} is not a manifest: {fields}") from error


def _check(where: str, actual: str, expected: str) -> None:
    if actual != expected:
        raise ConfigurationError(f"{where} has the SHA-256 {actual}, its manifest says {expected}; restore the file")
