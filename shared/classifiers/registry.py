"""The register of classifiers: a name and a version stand for one file of weights, for ever."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.contracts.manifest import HASH_FIELDS, Manifest
from shared.db.base import new_id
from shared.db.models import Classifier
from shared.errors import Conflict, InvalidRequest, Unavailable


def register(session: Session, manifest: Manifest) -> Classifier:
    """Make a classifier known; the very first becomes the default. Repeating it changes nothing.

    Raises:
        Conflict: this name and version stand for another file of weights already.
    """
    session.execute(
        insert(Classifier)
        .values(
            id=new_id(),
            name=manifest.name,
            version=manifest.version,
            sha256=manifest.sha256,
            manifest=manifest.model_dump(mode="json"),
        )
        .on_conflict_do_nothing(index_elements=["name", "version"])
    )
    known = session.scalars(
        select(Classifier).where(Classifier.name == manifest.name, Classifier.version == manifest.version)
    ).one()
    _check_same(known, manifest)
    session.execute(
        text(
            "UPDATE classifiers SET is_default = true WHERE id = :id "
            "AND NOT EXISTS (SELECT 1 FROM classifiers WHERE is_default)"
        ),
        {"id": known.id},
    )
    session.refresh(known)
    return known


def _check_same(known: Classifier, manifest: Manifest) -> None:
    """Refuse other weights under a registered version; add a file that it had not: it gives the same answers."""
    registered = Manifest.model_validate(known.manifest)
    old, new = registered.model_files, manifest.model_files
    for file in HASH_FIELDS:
        if file in old and file in new and old[file] != new[file]:
            raise Conflict(
                f"{manifest.name} version {manifest.version} is registered with other weights ({file}, sha256 "
                f"{old[file][:12]}, not {new[file][:12]}); give the new ones another version",
                code="classifier-differs",
            )
    added = {HASH_FIELDS[file]: new[file] for file in new.keys() - old.keys()}
    if added:
        known.manifest = {**known.manifest, **added}


def make_default(session: Session, name: str, version: str) -> Classifier:
    """Jobs that name no classifier get this one from now on.

    Raises:
        InvalidRequest: there is no such classifier.
    """
    chosen = resolve(session, name, version)
    session.execute(text("UPDATE classifiers SET is_default = false WHERE is_default"))
    session.execute(text("UPDATE classifiers SET is_default = true WHERE id = :id"), {"id": chosen.id})
    session.refresh(chosen)
    return chosen


def resolve(session: Session, name: str | None = None, version: str | None = None) -> Classifier:
    """The classifier that a job asks for: the default, the newest version of a name, or one version.

    Raises:
        InvalidRequest: there is no such classifier.
        Unavailable: none is registered yet, so there is no default.
    """
    wanted = select(Classifier).order_by(Classifier.created_at.desc(), Classifier.id.desc()).limit(1)
    if name is None:
        wanted = wanted.where(Classifier.is_default)
    else:
        wanted = wanted.where(Classifier.name == name)
        if version is not None:
            wanted = wanted.where(Classifier.version == version)
    found = session.scalars(wanted).one_or_none()
    if found is not None:
        return found
    if name is None:
        raise Unavailable(
            "no classifier is registered yet; start a worker or run `python -m api.admin register-classifier`"
        )
    asked = name if version is None else f"{name}@{version}"
    raise InvalidRequest(f"there is no classifier {asked}; GET /v1/classifiers lists them", code="unknown-classifier")


def list_classifiers(session: Session) -> Sequence[Classifier]:
    """Every classifier, by name, newest version first."""
    return session.scalars(select(Classifier).order_by(Classifier.name, Classifier.created_at.desc())).all()
