"""Commands about classifiers: make one known, choose the default."""

import argparse
import hashlib
import importlib.util
from pathlib import Path

from pydantic import ValidationError

from api.commands.command import Command
from api.commands.connect import transaction
from shared.classifiers import registry
from shared.contracts.manifest import Manifest
from shared.errors import ConfigurationError
from shared.settings import get_settings

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.keras"


def shipped_folders() -> list[Path]:
    """The classifiers that come with the worker, found without importing it."""
    found = importlib.util.find_spec("worker")
    places = (found.submodule_search_locations or []) if found else []
    return sorted(path.parent for place in places for path in Path(place).glob(f"classifiers/*/{MANIFEST_FILE}"))


def _folder(given: Path | None) -> Path:
    chosen = given or get_settings().classifier_dir
    if chosen is not None:
        return chosen
    shipped = shipped_folders()
    if len(shipped) == 1:
        return shipped[0]
    names = ", ".join(str(path) for path in shipped) or "none"
    raise ConfigurationError(f"say which folder to register; shipped with this installation: {names}")


def read_folder(folder: Path) -> Manifest:
    """The manifest of a classifier folder whose model is the one that it names. TensorFlow is not needed for that.

    Raises:
        ConfigurationError: a file is missing, is no manifest, or differs from it.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
        with (folder / MODEL_FILE).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be read ({error.strerror}); a classifier is a folder with {MANIFEST_FILE} and "
            f"{MODEL_FILE}"
        ) from error
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{folder / MANIFEST_FILE} is not a manifest: {fields}") from error
    if found != manifest.sha256:
        raise ConfigurationError(
            f"{folder / MODEL_FILE} has the SHA-256 {found}, its manifest says {manifest.sha256}; restore the file"
        )
    return manifest


def register(arguments: argparse.Namespace) -> str:
    """Make the classifier of a folder known; the very first one becomes the default."""
    manifest = read_folder(_folder(arguments.folder))
    with transaction() as session:
        known = registry.register(session, manifest)
        is_default = known.is_default
    return f"{manifest.name}@{manifest.version} is registered{', and is the default' if is_default else ''}."


def set_default(arguments: argparse.Namespace) -> str:
    """Jobs that name no classifier get this one from now on."""
    with transaction() as session:
        registry.make_default(session, arguments.name, arguments.version)
    return f"{arguments.name}@{arguments.version} is the default now."


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", help="default: PHYTOBATCH_CLASSIFIER_DIR, or the shipped classifier"
    )


def _default_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("version")


COMMANDS = (
    Command("register-classifier", "make the classifier of a folder known", register, _register_arguments),
    Command("default-classifier", "choose the classifier of jobs that name none", set_default, _default_arguments),
)
