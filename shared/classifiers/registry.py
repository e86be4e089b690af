"""The register of classifiers: a name and a version identify one file of weights, for ever."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.contracts.manifest import HASH_FIELDS, SECOND_REASONS, SECOND_SCHEMA, Manifest
from shared.contracts.tiling import AUTO
from shared.db.base import new_id
from shared.db.models import Classifier
from shared.errors import Conflict, InvalidRequest, Unavailable


def register(session: Session, manifest: Manifest) -> Classifier:
    """Register a classifier; the very first becomes the default. Idempotent.

    Raises:
        Conflict: this name and version belong to another file of weights already.
    """
    session.execute(
        insert(Classifier)
        .values(
            id=new_id(),
            name=manifest.name,
            version=manifest.version,
            sha256=manifest.sha256,
            manifest=_first_schema_of(manifest),
            tiling=_tiling_of(manifest),
            second_schema=_second_schema_of(manifest),
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


def manifest_of(classifier: Classifier) -> Manifest:
    """Return the whole manifest of a registered classifier."""
    tiling = {} if classifier.tiling is None else {"tiling": classifier.tiling}
    return Manifest.model_validate({**classifier.manifest, **tiling, **(classifier.second_schema or {})})


def has_map(classifier: Classifier) -> bool:
    """Return whether a registered classifier says what speaks for its labels, and where."""
    outputs = manifest_of(classifier).outputs
    return outputs is not None and outputs.map is not None


def _tiling_of(manifest: Manifest) -> dict[str, Any] | None:
    return None if manifest.tiling is None else manifest.tiling.model_dump(mode="json")


def _first_schema_of(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as programs read it that know neither tiles nor the second version of the schema."""
    known = [one for one in manifest.review_outputs if one.reason not in SECOND_REASONS]
    return {
        **manifest.model_dump(mode="json", exclude={"tiling", *SECOND_SCHEMA}),
        "schema_version": 1,
        "review_outputs": [one.model_dump(mode="json") for one in known],
    }


def _second_schema_of(manifest: Manifest) -> dict[str, Any] | None:
    """Return what replaces and joins the fields of the first version; None where there is nothing of the second."""
    if manifest.schema_version == 1:
        return None
    return manifest.model_dump(mode="json", include={"schema_version", "review_outputs", *SECOND_SCHEMA})


def _check_same(known: Classifier, manifest: Manifest) -> None:
    """Refuse other weights, tiles or outputs under a registered version; add what is missing.

    A missing file gives the same answers, a version without tiles has given no answer by tiles yet, and one without
    names of outputs no embedding and no crop.
    """
    registered = manifest_of(known)
    old, new = registered.model_files, manifest.model_files
    for file in HASH_FIELDS:
        if file in old and file in new and old[file] != new[file]:
            raise Conflict(
                f"{manifest.name} version {manifest.version} is registered with other weights ({file}, sha256 "
                f"{old[file][:12]}, not {new[file][:12]}); give the new ones another version",
                code="classifier-differs",
            )
    added = {HASH_FIELDS[file]: new[file] for file in new.keys() - old.keys()}
    if registered.tiling is None:
        known.tiling = _tiling_of(manifest)
    elif manifest.tiling is not None:
        _check_equal("tiling", manifest, registered)
    if known.second_schema is None:
        known.second_schema = _second_schema_of(manifest)
    elif manifest.schema_version > 1:
        for field in ("outputs", "crops"):
            _check_equal(field, manifest, registered)
    first = {field: sha256 for field, sha256 in added.items() if field not in SECOND_SCHEMA}
    if first:
        known.manifest = {**known.manifest, **first}
    second = {field: sha256 for field, sha256 in added.items() if field in SECOND_SCHEMA}
    if second and known.second_schema is not None:
        known.second_schema = {**known.second_schema, **second}


def _check_equal(field: str, manifest: Manifest, registered: Manifest) -> None:
    if getattr(manifest, field) != getattr(registered, field):
        raise Conflict(
            f"{manifest.name} version {manifest.version} is registered with another `{field}` in its manifest; a "
            "version never changes: give this one another version",
            code="classifier-differs",
        )


def make_default(session: Session, name: str, version: str) -> Classifier:
    """Make a classifier the default for jobs that name none.

    Raises:
        InvalidRequest: there is no such classifier.
    """
    chosen = resolve(session, name, version)
    session.execute(text("UPDATE classifiers SET is_default = false WHERE is_default"))
    session.execute(text("UPDATE classifiers SET is_default = true WHERE id = :id"), {"id": chosen.id})
    session.refresh(chosen)
    return chosen


def resolve(session: Session, name: str | None = None, version: str | None = None) -> Classifier:
    """Find the classifier that a job requests: the default, the newest version of a name, or one version.

    Raises:
        InvalidRequest: there is no such classifier.
        Unavailable: none is registered yet, so there is no default.
    """
    query = select(Classifier).order_by(Classifier.created_at.desc(), Classifier.id.desc()).limit(1)
    if name is None:
        query = query.where(Classifier.is_default)
    else:
        query = query.where(Classifier.name == name)
        if version is not None:
            query = query.where(Classifier.version == version)
    classifier = session.scalars(query).one_or_none()
    if classifier is not None:
        return classifier
    if name is None:
        raise Unavailable(
            "no classifier is registered yet; start a worker or run `python -m api.admin register-classifier`"
        )
    title = name if version is None else f"{name}@{version}"
    raise InvalidRequest(f"there is no classifier {title}; GET /v1/classifiers lists them", code="unknown-classifier")


def check_tiling(classifier: Classifier, tiling: object) -> None:
    """Return if the classifier can answer a job with this tiling.

    Raises:
        InvalidRequest: it is ``auto``, and the classifier has learned no tiles.
    """
    if tiling == AUTO and classifier.tiling is None:
        raise InvalidRequest(
            f"the classifier {classifier.name}@{classifier.version} has learned no tiles, so `auto` has no meaning: "
            'give the edge of a tile, as {"edge": 256} (pixels), or a classifier that has a `tiling` in '
            "GET /v1/classifiers",
            code="classifier-without-tiling",
        )


def list_classifiers(session: Session) -> Sequence[Classifier]:
    """List every classifier, by name, newest version first."""
    return session.scalars(select(Classifier).order_by(Classifier.name, Classifier.created_at.desc())).all()
