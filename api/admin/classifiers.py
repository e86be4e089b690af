"""Commands about classifiers: make one known, list them, choose the default."""

import argparse
import importlib.util
from pathlib import Path

from sqlalchemy import text

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import transaction
from api.admin.table import table
from shared.classifiers import registry
from shared.classifiers.bundle import publish, read_folder
from shared.contracts.audit import Action
from shared.contracts.manifest import MANIFEST_FILE, Manifest
from shared.errors import ConfigurationError
from shared.settings import get_settings
from shared.storage.s3 import S3Store

HEADINGS = ("CLASSIFIER", "SHA256", "ONNX", "DEFAULT", "OPEN JOBS", "OPEN CHUNKS", "LAST RUN")
# Drafts are pinned too, where they name a classifier. One pass over the chunks, however many classifiers there are.
LIST = text(
    """
    WITH work AS (
        SELECT regexp_replace(pool, '^.*:', '') AS classifier, count(*) FILTER (WHERE state <> 'done') AS open,
               max(done_at) FILTER (WHERE worker IS NOT NULL) AS ran
        FROM chunks WHERE kind = 'classify' GROUP BY 1),
    pinned AS (
        SELECT classifier_id AS id, count(*) AS jobs FROM jobs
        WHERE state IN ('draft', 'validating', 'queued', 'running', 'canceling') AND deleted_at IS NULL GROUP BY 1)
    SELECT c.name || '@' || c.version, left(c.sha256, 12), left(c.manifest ->> 'onnx_sha256', 12),
           CASE WHEN c.is_default THEN 'default' END, coalesce(p.jobs, 0), coalesce(w.open, 0), w.ran
    FROM classifiers c LEFT JOIN pinned p ON p.id = c.id LEFT JOIN work w ON w.classifier = c.id::text
    ORDER BY c.name, c.created_at
    """
)


def shipped_folders() -> list[Path]:
    """Find the classifiers that come with the worker, without importing it."""
    spec = importlib.util.find_spec("worker")
    places = (spec.submodule_search_locations or []) if spec else []
    return sorted(path.parent for place in places for path in Path(place).glob(f"classifiers/*/{MANIFEST_FILE}"))


def _folder(folder: Path | None) -> Path:
    chosen = folder or get_settings().classifier_dir
    if chosen is not None:
        return chosen
    shipped = shipped_folders()
    if len(shipped) == 1:
        return shipped[0]
    names = ", ".join(str(path) for path in shipped) or "none"
    raise ConfigurationError(f"say which folder to register; shipped with this installation: {names}")


def _title(manifest: Manifest) -> str:
    return f"{manifest.name}@{manifest.version}"


def register(arguments: argparse.Namespace) -> str:
    """Make the classifier of a folder known; the very first one becomes the default."""
    manifest = read_folder(_folder(arguments.folder))
    with transaction() as session:
        known = registry.register(session, manifest)
        by_operator(session, Action.CLASSIFIER_REGISTER, _title(manifest), sha256=manifest.sha256)
        if arguments.default:
            known = registry.make_default(session, manifest.name, manifest.version)
            by_operator(session, Action.CLASSIFIER_DEFAULT, _title(manifest))
        is_default = known.is_default
    return f"{_title(manifest)} is registered{', and is the default' if is_default else ''}."


def publish_classifier(arguments: argparse.Namespace) -> str:
    """Make the classifier of a folder known, and put it into the object store.

    In this order: other weights under a version that is registered are refused before they replace anything.
    """
    folder = _folder(arguments.folder)
    manifest = read_folder(folder)
    with transaction() as session:
        registry.register(session, manifest)
        by_operator(session, Action.CLASSIFIER_PUBLISH, _title(manifest), sha256=manifest.sha256)
    publish(S3Store(get_settings()), folder)
    title = _title(manifest)
    return (
        f"{title} is published. Next: start workers that serve it beside the old one "
        f"(PHYTOBATCH_CLASSIFIERS=...,{title}), then make it the default: "
        f"python -m api.admin default-classifier {manifest.name} {manifest.version}"
    )


def show(_: argparse.Namespace) -> str:
    """List every classifier: its weights, the default, the open jobs that are pinned to it, and when it ran last.

    A version cannot be withdrawn: results refer to it for ever. To retire one, choose another default, wait until no
    open job is pinned to it, and take it from PHYTOBATCH_CLASSIFIERS of the workers.
    """
    with transaction() as session:
        rows = session.execute(LIST).all()
    if not rows:
        return "There are no classifiers; a worker registers its own, `register-classifier` one of a folder."
    return table(HEADINGS, [(*row[:-1], f"{row[-1]:%Y-%m-%d %H:%M}" if row[-1] else "never") for row in rows])


def set_default(arguments: argparse.Namespace) -> str:
    """Make a classifier the default: jobs that name none get it from now on."""
    with transaction() as session:
        registry.make_default(session, arguments.name, arguments.version)
        by_operator(session, Action.CLASSIFIER_DEFAULT, f"{arguments.name}@{arguments.version}")
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
    Command("list-classifiers", "list every classifier, and what is pinned to it", show),
    Command("default-classifier", "choose the classifier of jobs that name none", set_default, _default_arguments),
)
