"""Importing: the objects below a prefix become the images of a job.

Whatever is wrong with the source is the source's: it ends the job at once, with a sentence about it. What passes by
itself (the store or Postgres is away) is raised as it is, and tried again.
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
from worker.jobs.sidecars import Beside, read_beside, store_beside
from worker.leasing.leases import Held
from worker.leasing.outcome import CancelRequested, SourceRejected

log = structlog.get_logger()

CHECK_EVERY = 1000  # objects of a listing
MAX_KEY_BYTES = 1024  # Amazon S3 User Guide, "Naming Amazon S3 objects"
UNSTORABLE = (
    "the key of this object cannot be kept as a name: it has a character that is no text, or more than "
    f"{MAX_KEY_BYTES} bytes; copy the object to another key"
)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What lies in the store, by key, and the keys of which no worker needs to try, each with its reason."""

    objects: Mapping[str, StoredObject]
    unusable: Mapping[str, str]


@dataclass(slots=True)
class _Below:
    """What lies below a prefix."""

    images: list[StoredObject]
    sidecars: list[StoredObject]
    passed_over: int = 0


def import_images(context: Context, held: Held, source: Source) -> Arrived:
    """Make every object of the source that is named like an image an image of the job.

    Raises:
        SourceRejected: the source cannot be used; the sentence says why.
        StoreUnavailable, DatabaseUnavailable: a server is away.
        LeaseLost, CancelRequested, StopRequested: as ``held.check()``.
    """
    below = _look(context, held, source.s3)
    if not below.images:
        raise SourceRejected("source_empty", _nothing(source.s3, below.passed_over))
    objects, unusable = storable(below.images)
    said = [read_beside(context, held, source, one) for one in below.sidecars]
    try:
        context.database.run(lambda session: _store(session, context, held, source.s3, objects, said))
    except (DataError, psycopg.DataError) as error:  # Rows that are copied are past SQLAlchemy.
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        raise SourceRejected("source_unusable", f"{source.s3.uri} holds what cannot be stored: {reason}") from error
    return Arrived({one.key: one for one in objects}, unusable)


def listed(held: Held, objects: Iterator[StoredObject]) -> Iterator[StoredObject]:
    """The objects, with a sign of life after each page.

    Raises:
        LeaseLost, CancelRequested, StopRequested: as ``held.check()``.
    """
    for number, found in enumerate(objects):
        if number % CHECK_EVERY == 0:
            held.check()
            held.progressed()
        yield found


def _look(context: Context, held: Held, source: S3Prefix) -> _Below:
    """The images below the prefix, and the sidecars in the order in which they count."""
    folder = source.prefix[: source.prefix.rfind("/") + 1]
    below = _Below([], [])
    try:
        for one in listed(held, context.store.list_objects(source.prefix, bucket=source.bucket)):
            if one.key.endswith("/") or is_system_path(one.key.removeprefix(folder)):
                below.passed_over += 1
            elif is_image_name(PurePosixPath(one.key).name):
                below.images.append(one)
            elif is_sidecar(one.key):
                below.sidecars.append(one)
            _check_count(below.images, context.settings.max_images_per_job)
    except ObjectMissing as error:
        raise SourceRejected("source_unreadable", f"{source.uri} cannot be listed: {error}") from error
    if below.passed_over:
        log.info("system_files_passed_over", objects=below.passed_over)
    below.sidecars.sort(key=lambda one: order_of(one.key))
    return below


def _check_count(images: list[StoredObject], most: int) -> None:
    """Stop in good time: a bucket may hold millions."""
    if len(images) > most:
        raise SourceRejected(
            "too_many_images",
            f"a job has at most {most} images, and more lie below this prefix; import its folders as several jobs",
        )


def _nothing(source: S3Prefix, passed_over: int) -> str:
    wanted = ", ".join(sorted(IMAGE_SUFFIXES))
    sentence = f"no object below {source.uri} is named like an image ({wanted})"
    more = f"; {passed_over} folders, hidden files and files of the system were passed over" if passed_over else ""
    return sentence + more


def storable(found: Iterable[StoredObject]) -> tuple[list[StoredObject], dict[str, str]]:
    """The objects under keys that can be stored, and why those whose key had to change cannot be read.

    A key that is listed twice is one object; two keys that become equal here stay two.
    """
    kept: dict[str, StoredObject] = {}
    unusable: dict[str, str] = {}
    changed: list[StoredObject] = []
    for one in found:
        if _text(one.key) == one.key:
            kept.setdefault(one.key, one)
        else:
            changed.append(one)
    for one in changed:
        key = free(_text(one.key), kept.__contains__)
        kept[key] = replace(one, key=key)
        unusable[key] = UNSTORABLE
    return list(kept.values()), unusable


def _text(key: str) -> str:
    """Of at most ``MAX_KEY_BYTES``, without what PostgreSQL has no place for."""
    return stored.words(key, len(key)).encode()[:MAX_KEY_BYTES].decode("utf-8", "ignore")


def name_objects(objects: Iterable[StoredObject], prefix: str, known: Mapping[str, str]) -> dict[str, str]:
    """A name of its own for each key that is not ``known``: its way below the prefix.

    Two keys may have one way (`a/1.jpg` and `a//1.jpg` below `a`), or ways that look alike, composed and decomposed:
    the second is called `1~2.jpg`. Letters count as equal as Unicode's normal form C has them.
    """
    taken = {composed(name) for name in known.values()}
    names: dict[str, str] = {}
    for one in objects:
        if one.key not in known:
            way = one.key.removeprefix(prefix).lstrip("/") or one.key
            names[one.key] = free(way, lambda name: composed(name) in taken)
            taken.add(composed(names[one.key]))
    return names


def free(name: str, is_taken: Callable[[str], bool]) -> str:
    """``name``, or the first of ``stem~2.suffix``, ``stem~3.suffix`` … that is not taken."""
    path = PurePosixPath(name)
    candidate, number = name, 2
    while is_taken(candidate):
        candidate = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
        number += 1
    return candidate


def _store(  # a transaction, what it is for, and what goes into it
    session: Session, context: Context, held: Held, source: S3Prefix, objects: list[StoredObject], said: list[Beside]
) -> None:
    """Insert the images under our token; those that an earlier attempt inserted keep their numbers and names."""
    quota = quotas.lock_tenant(session, held.claim.tenant_id, Quotas.of(context.settings))
    job = lifecycle.lock_job(session, held.claim.job_id)
    if claims.look(session, held.claim) is JobState.CANCELING:
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
    store_beside(session, job.id, said)
