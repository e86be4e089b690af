"""The import of a job: the objects below a prefix become its images.

A fault of the source ends the job at once, with a sentence about it. An outage (of the store or Postgres) is raised as
it is, and the import is tried again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import psycopg
import structlog
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.file_names import IMAGE_SUFFIXES, is_image_name, is_system_path
from shared.contracts.image_names import composed
from shared.contracts.source import S3Prefix, Source
from shared.contracts.states import JobState
from shared.errors import Conflict, InvalidRequest, LimitExceeded, ObjectMissing, QuotaExceeded
from shared.geography.sidecar.read import is_sidecar, order_of
from shared.jobs import claims, lifecycle
from shared.jobs.images import NewImage, add_images, named_objects
from shared.limits import quotas
from shared.limits.quotas import Quotas
from shared.storage.store import StoredObject
from worker.context import Context
from worker.jobs.sidecars import Sidecar, fetch_sidecar, store_sidecars
from worker.leasing.leases import Lease
from worker.leasing.outcome import CancelRequested, SourceRejected

log = structlog.get_logger()

CHECK_EVERY = 1000  # objects of a listing
MAX_KEY_BYTES = 1024  # Amazon S3 User Guide, "Naming Amazon S3 objects"
UNSTORABLE = (
    "the key of this object cannot be kept as a name: it has a character that is no text, or more than "
    f"{MAX_KEY_BYTES} bytes; copy the object to another key"
)


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects of a job in the store by key, and the reason for each key that cannot be used."""

    objects: Mapping[str, StoredObject]
    unusable: Mapping[str, str]


@dataclass(slots=True)
class _Prefix:
    """The objects below a prefix, by their use."""

    images: list[StoredObject]
    sidecars: list[StoredObject]
    ignored: int = 0


def import_images(context: Context, lease: Lease, source: Source) -> Listing:
    """Add every object of the source with the name of an image to the images of the job.

    Raises:
        SourceRejected: the source cannot be used; the sentence says why.
        StoreUnavailable, DatabaseUnavailable: a server is away.
        LeaseLost, CancelRequested, StopRequested: as ``lease.check()``.
    """
    found = _list(context, lease, source.s3)
    if not found.images:
        raise SourceRejected("source_empty", _nothing_found(source.s3, found.ignored))
    objects, unusable = storable(found.images)
    sidecars = [fetch_sidecar(context, lease, source, one) for one in found.sidecars]
    try:
        context.database.run(lambda session: _store(session, context, lease, source.s3, objects, sidecars))
    except (DataError, psycopg.DataError) as error:  # COPY does not go through SQLAlchemy.
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise SourceRejected("source_unusable", f"{source.s3.uri} holds what cannot be stored: {reason}") from error
    return Listing({one.key: one for one in objects}, unusable)


def checked(lease: Lease, objects: Iterator[StoredObject]) -> Iterator[StoredObject]:
    """Yield the objects, with ``lease.check()`` and progress once per page.

    Raises:
        LeaseLost, CancelRequested, StopRequested: as ``lease.check()``.
    """
    for number, one in enumerate(objects):
        if number % CHECK_EVERY == 0:
            lease.check()
            lease.progressed()
        yield one


def _list(context: Context, lease: Lease, source: S3Prefix) -> _Prefix:
    """List the images below the prefix, and the sidecars in order of precedence."""
    folder = source.prefix[: source.prefix.rfind("/") + 1]
    found = _Prefix([], [])
    try:
        for one in checked(lease, context.store.list_objects(source.prefix, bucket=source.bucket)):
            if one.key.endswith("/") or is_system_path(one.key.removeprefix(folder)):
                found.ignored += 1
            elif is_image_name(PurePosixPath(one.key).name):
                found.images.append(one)
            elif is_sidecar(one.key):
                found.sidecars.append(one)
            _check_count(found.images, context.settings.max_images_per_job)
    except ObjectMissing as error:
        raise SourceRejected("source_unreadable", f"{source.uri} cannot be listed: {error}") from error
    if found.ignored:
        log.info("system_files_ignored", objects=found.ignored)
    found.sidecars.sort(key=lambda one: order_of(one.key))
    return found


def _check_count(images: list[StoredObject], max_images: int) -> None:
    """Stop while listing: a bucket may hold millions."""
    if len(images) > max_images:
        raise SourceRejected(
            "too_many_images",
            f"a job has at most {max_images} images, and more lie below this prefix; "
            "import its folders as several jobs",
        )


def _nothing_found(source: S3Prefix, ignored: int) -> str:
    suffixes = ", ".join(sorted(IMAGE_SUFFIXES))
    sentence = f"no object below {source.uri} is named like an image ({suffixes})"
    more = f"; {ignored} folders, hidden files and files of the system were passed over" if ignored else ""
    return sentence + more


def storable(objects: Iterable[StoredObject]) -> tuple[list[StoredObject], dict[str, str]]:
    """Return the objects under keys that can be stored, and a reason for each whose key had to change.

    An object with a changed key cannot be read. A key that is listed twice is one object; two keys that become equal
    here stay two.
    """
    kept: dict[str, StoredObject] = {}
    unusable: dict[str, str] = {}
    changed: list[StoredObject] = []
    for one in objects:
        if _text(one.key) == one.key:
            kept.setdefault(one.key, one)
        else:
            changed.append(one)
    for one in changed:
        key = free_name(_text(one.key), kept.__contains__)
        kept[key] = replace(one, key=key)
        unusable[key] = UNSTORABLE
    return list(kept.values()), unusable


def _text(key: str) -> str:
    """Return the key without characters that PostgreSQL cannot store, and at most ``MAX_KEY_BYTES`` long."""
    return stored.words(key, len(key)).encode()[:MAX_KEY_BYTES].decode("utf-8", "ignore")


def name_objects(objects: Iterable[StoredObject], prefix: str, known: Mapping[str, str]) -> dict[str, str]:
    """Return a unique name for each key that is not ``known``: its path below the prefix.

    Two keys may have one path (`a/1.jpg` and `a//1.jpg` below `a`), or paths that differ only as composed and
    decomposed letters: the second is called `1~2.jpg`. Letters are equal if their normal forms C (Unicode) are.
    """
    taken = {composed(name) for name in known.values()}
    names: dict[str, str] = {}
    for one in objects:
        if one.key not in known:
            path = one.key.removeprefix(prefix).lstrip("/") or one.key
            names[one.key] = free_name(path, lambda name: composed(name) in taken)
            taken.add(composed(names[one.key]))
    return names


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Return ``name``, or the first of ``stem~2.suffix``, ``stem~3.suffix`` … that is not taken."""
    path = PurePosixPath(name)
    candidate, number = name, 2
    while is_taken(candidate):
        candidate = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
        number += 1
    return candidate


def _store(
    session: Session,
    context: Context,
    lease: Lease,
    source: S3Prefix,
    objects: list[StoredObject],
    sidecars: list[Sidecar],
) -> None:
    """Insert the images under our token; images that an earlier attempt inserted keep their numbers and names."""
    quota = quotas.lock_tenant(session, lease.claim.tenant_id, Quotas.of(context.settings))
    job = lifecycle.lock_job(session, lease.claim.job_id)
    if claims.read_state(session, lease.claim) is JobState.CANCELING:
        raise CancelRequested
    names = name_objects(objects, source.prefix, named_objects(session, job, source.bucket))
    new = [
        NewImage(name=names[one.key], size=one.size, bucket=source.bucket, object_key=one.key)
        for one in objects
        if one.key in names
    ]
    try:
        add_images(session, job, new, max_images=context.settings.max_images_per_job)
        quota.check(images=len(new), of_job=job.total)
    except LimitExceeded as error:
        raise SourceRejected("too_many_images", str(error)) from error
    except QuotaExceeded as error:
        raise SourceRejected("quota_exceeded", f"{error}; then retry the job") from error
    except (Conflict, InvalidRequest) as error:
        raise SourceRejected("source_unusable", f"{source.uri}: {error}") from error
    store_sidecars(session, job.id, sidecars)
