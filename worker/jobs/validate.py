"""Validation of a committed job: what really arrived, what is refused and why, and the rest into chunks."""

from collections.abc import Iterator
from pathlib import PurePosixPath

import structlog
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.source import Source
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.db.models import Job
from shared.errors import LimitExceeded, ObjectMissing, QuotaExceeded
from shared.geography.sidecar.read import is_sidecar, order_of
from shared.jobs import claims, lifecycle
from shared.jobs.images import NewImage, PendingImage, add_images, pending_images
from shared.jobs.results import NewResult
from shared.limits import quotas
from shared.limits.quotas import Quotas
from shared.storage.keys import upload_prefix
from shared.storage.store import StoredObject
from worker.geography.beside import Beside, read_beside, store_beside
from worker.jobs.context import Context
from worker.jobs.leases import Held
from worker.jobs.outcome import ChunkOutcome
from worker.jobs.source import SourceRejected
from worker.metrics.results import count_results

log = structlog.get_logger()

# What an import takes from a prefix; a flight folder also holds logs and sidecars.
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"})
CHECK_EVERY = 1000  # objects of a listing


def validate(context: Context, held: Held) -> ChunkOutcome:
    """List what arrived, reject what cannot run, and cut the rest into chunks, in one transaction at the end.

    Raises:
        StoreUnavailable: the object store is away.
        DatabaseUnavailable: Postgres is away.
        LeaseLost: the chunk belongs to another worker.
        CancelAsked, StopAsked: an order, from ``held.check()``.
    """
    with context.database.begin() as session:
        job = session.get_one(Job, held.claim.job_id)
    try:
        arrived = _import(context, held, Source.model_validate(job.source)) if job.source else _uploads(context, held)
    except SourceRejected as error:
        _fail(context, held, error)
        return ChunkOutcome.FINISHED
    with context.database.begin() as session:
        images = pending_images(session, job.id)
    rejected = list(_reject(images, arrived, context.settings.max_image_bytes))
    kept = context.database.run(
        lambda session: claims.finish_validation(
            session, held.claim, rejected, chunk_images=context.settings.chunk_images
        )
    )
    count_results(kept)
    log.info("job_validated", images=len(images), rejected=len(rejected))
    return ChunkOutcome.FINISHED


def _uploads(context: Context, held: Held) -> dict[str, StoredObject]:
    """What lies below the upload prefix of the job, by key."""
    return {found.key: found for found in _listed(held, context.store.list_objects(upload_prefix(held.claim.job_id)))}


def _import(context: Context, held: Held, source: Source) -> dict[str, StoredObject]:
    """Make every object of the source an image of the job; what lies there, by key."""
    bucket = source.s3.bucket
    found, sidecars = _look(context, held, source)
    if not found:
        wanted = ", ".join(sorted(IMAGE_SUFFIXES))
        raise SourceRejected("source_empty", f"no object below {source.s3.uri} is named like an image ({wanted})")
    _check_keys(found)
    images = [NewImage(name=_name(one, source), size=one.size, bucket=bucket, object_key=one.key) for one in found]
    said = [read_beside(context, held, source, one) for one in sidecars]
    context.database.run(lambda session: _store(session, context, held, images, said))
    return {one.key: one for one in found}


def _look(context: Context, held: Held, source: Source) -> tuple[list[StoredObject], list[StoredObject]]:
    """The images below the prefix, and the sidecars in the order in which they count."""
    listing = context.store.list_objects(source.s3.prefix, bucket=source.s3.bucket)
    images: list[StoredObject] = []
    sidecars: list[StoredObject] = []
    try:
        for one in _listed(held, listing):
            if PurePosixPath(one.key).suffix.lower() in IMAGE_SUFFIXES:
                images.append(one)
            elif is_sidecar(one.key):
                sidecars.append(one)
    except ObjectMissing as error:
        raise SourceRejected("source_unreadable", f"{source.s3.uri} cannot be listed: {error}") from error
    return images, sorted(sidecars, key=lambda one: order_of(one.key))


def _check_keys(found: list[StoredObject]) -> None:
    """Return when every key can be stored: S3 allows every character of UTF-8, PostgreSQL all but U+0000."""
    for one in found:
        try:
            stored.text(one.key)
        except ValueError as error:
            raise SourceRejected("source_unreadable", f"the key {one.key[:200]!r} {error}; rename it") from error


def _name(one: StoredObject, source: Source) -> str:
    return one.key.removeprefix(source.s3.prefix).lstrip("/") or one.key


def _store(session: Session, context: Context, held: Held, images: list[NewImage], said: list[Beside]) -> None:
    """Insert the images under our token; those that an earlier attempt inserted keep their numbers."""
    quota = quotas.hold(session, held.claim.tenant_id, Quotas.of(context.settings))
    job = lifecycle.lock_job(session, held.claim.job_id)
    claims.look(session, held.claim)
    before = job.total
    try:
        add_images(session, job, images, max_images=context.settings.max_images_per_job)
        quota.check(images=job.total - before, of_job=job.total)
    except LimitExceeded as error:
        raise SourceRejected("too_many_images", str(error)) from error
    except QuotaExceeded as error:
        raise SourceRejected("quota_exceeded", f"{error}; then retry the job") from error
    store_beside(session, job.id, said)


def _listed(held: Held, objects: Iterator[StoredObject]) -> Iterator[StoredObject]:
    for number, found in enumerate(objects):
        if number % CHECK_EVERY == 0:
            held.check()
            held.progressed()
        yield found


def _reject(images: list[PendingImage], arrived: dict[str, StoredObject], max_bytes: int) -> Iterator[NewResult]:
    """The images that no worker needs to try, each with its reason."""
    first_with: dict[tuple[object, ...], str] = {}
    for image in images:
        found = arrived.get(image.object_key)
        code, detail = _fault(image, found, max_bytes)
        if code is None and found is not None:
            content = ("sha256", image.sha256) if image.sha256 else ("etag", found.etag, found.size)
            original = first_with.setdefault(content, image.name)
            if original != image.name:
                code, detail = ImageErrorCode.DUPLICATE, f"the same file as {original}"
        if code is not None:
            yield NewResult(seq=image.seq, status=ImageStatus.REJECTED, error_code=code, error_detail=detail)


def _fault(image: PendingImage, found: StoredObject | None, max_bytes: int) -> tuple[ImageErrorCode | None, str]:
    if found is None:
        return ImageErrorCode.OBJECT_MISSING, "the file was announced but never uploaded"
    if found.size == 0:
        return ImageErrorCode.EMPTY, "the file has no bytes; copy it again from the camera"
    if found.size > max_bytes:
        return ImageErrorCode.TOO_LARGE, f"the file has {found.size} bytes, at most {max_bytes} are allowed"
    if found.size != image.size:
        return ImageErrorCode.SIZE_MISMATCH, f"{image.size} bytes were announced, {found.size} arrived; upload it again"
    return None, ""


def _fail(context: Context, held: Held, error: SourceRejected) -> None:
    log.info("job_rejected", code=error.code)
    context.database.run(lambda session: claims.fail_job(session, held.claim, code=error.code, detail=str(error)))
