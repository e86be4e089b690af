"""Commands about classifiers: make one known, choose the default."""

import argparse
import importlib.util
from pathlib import Path

from api.commands.command import Command
from api.commands.connect import transaction
from shared.classifiers import registry
from shared.classifiers.bundle import MANIFEST_FILE, publish, read_folder
from shared.errors import ConfigurationError
from shared.settings import get_settings
from shared.storage.s3 import S3Store


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


def register(arguments: argparse.Namespace) -> str:
    """Make the classifier of a folder known; the very first one becomes the default."""
    manifest = read_folder(_folder(arguments.folder))
    with transaction() as session:
        known = registry.register(session, manifest)
        if arguments.default:
            known = registry.make_default(session, manifest.name, manifest.version)
        is_default = known.is_default
    return f"{manifest.name}@{manifest.version} is registered{', and is the default' if is_default else ''}."


def publish_classifier(arguments: argparse.Namespace) -> str:
    """Make the classifier of a folder known, and put it into the object store.

    In this order: other weights under a version that is registered are refused before they replace anything.
    """
    folder = _folder(arguments.folder)
    manifest = read_folder(folder)
    with transaction() as session:
        registry.register(session, manifest)
    publish(S3Store(get_settings()), folder)
    title = f"{manifest.name}@{manifest.version}"
    return (
        f"{title} is published. Next: start workers that serve it beside the old one "
        f"(PHYTOBATCH_CLASSIFIERS=...,{title}), then make it the default: "
        f"python -m api.admin default-classifier {manifest.name} {manifest.version}"
    )


def set_default(arguments: argparse.Namespace) -> str:
    """Jobs that name no classifier get this one from now on."""
    with transaction() as session:
        registry.make_default(session, arguments.name, arguments.version)
    return f"{arguments.name}@{arguments.version} is the default now."


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    _folder_argument(parser)
    parser.add_argument("--default", action="store_true", help="jobs that name no classifier get it from now on")


def _folder_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", help="default: PHYTOBATCH_CLASSIFIER_DIR, or the shipped classifier"
    )


def _default_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("version")


COMMANDS = (
    Command("register-classifier", "make the classifier of a folder known", register, _register_arguments),
    Command("publish-classifier", "put a classifier into the object store", publish_classifier, _folder_argument),
    Command("default-classifier", "choose the classifier of jobs that name none", set_default, _default_arguments),
)
