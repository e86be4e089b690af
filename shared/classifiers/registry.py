"""The register of classifiers: a name and a version stand for one file of weights, for ever."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.contracts.manifest import Manifest
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
    """A registered version never changes; an ONNX file may be added to it, because it gives the same answers."""
    exported = known.manifest.get("onnx_sha256")
    for kind, old, new in (("", known.sha256, manifest.sha256), ("ONNX ", exported, manifest.onnx_sha256)):
        if old is not None and new is not None and old != new:
            raise Conflict(
                f"{manifest.name} version {manifest.version} is registered with other {kind}weights (sha256 "
                f"{old[:12]}, not {new[:12]}); give the new ones another version",
                code="classifier-differs",
            )
    if exported is None and manifest.onnx_sha256 is not None:
        known.manifest = {**known.manifest, "onnx_sha256": manifest.onnx_sha256}


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
