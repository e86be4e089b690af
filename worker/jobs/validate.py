"""The runner that validates a committed job: lists what arrived, rejects images, and cuts the rest into chunks."""

from collections.abc import Iterator

import structlog

from shared.contracts.source import Source
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.db.models import Job
from shared.jobs import claims
from shared.jobs.cut import ChunkSizes
from shared.jobs.images import PendingImage, pending_images
from shared.jobs.results import NewResult
from shared.storage.keys import upload_prefix
from shared.storage.store import StoredObject
from worker.context import Context
from worker.jobs.importing import Listing, checked, import_images
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome
from worker.metrics import count_results

log = structlog.get_logger()


def validate(context: Context, lease: Lease) -> ChunkOutcome:
    """List what arrived; in one transaction at the end, reject what cannot run and cut the rest into chunks.

    Raises:
        StoreUnavailable: the object store is away.
        DatabaseUnavailable: Postgres is away.
        LeaseLost: the chunk belongs to another worker.
        SourceRejected: the source of an import cannot be used; the sentence says why.
        CancelRequested, StopRequested: an order, from ``lease.check()``.
    """
    with context.database.begin() as session:
        job = session.get_one(Job, lease.claim.job_id)
    source = Source.model_validate(job.source) if job.source else None
    listing = import_images(context, lease, source) if source else _uploads(context, lease)
    with context.database.begin() as session:
        images = pending_images(session, job.id)
    rejected = list(_reject(images, listing, context.settings.max_image_bytes))
    kept = context.database.run(
        lambda session: claims.finish_validation(session, lease.claim, rejected, sizes=ChunkSizes.of(context.settings))
    )
    count_results(kept)
    log.info("job_validated", images=len(images), rejected=len(rejected))
    return ChunkOutcome.FINISHED


def _uploads(context: Context, lease: Lease) -> Listing:
    """List the objects below the upload prefix of the job."""
    uploads = checked(lease, context.store.list_objects(upload_prefix(lease.claim.job_id)))
    return Listing({one.key: one for one in uploads}, {})


def _reject(images: list[PendingImage], listing: Listing, max_bytes: int) -> Iterator[NewResult]:
    """Yield a result for each image that cannot be classified, with its reason."""
    first_with: dict[tuple[object, ...], str] = {}
    for image in images:
        stored = listing.objects.get(image.object_key)
        code, detail = _fault(image, stored, max_bytes)
        if image.object_key in listing.unusable:
            code, detail = ImageErrorCode.NOT_STORABLE, listing.unusable[image.object_key]
        content = _content(image, stored)
        if code is None and content is not None:
            original = first_with.setdefault(content, image.name)
            if original != image.name:
                code, detail = ImageErrorCode.DUPLICATE, f"the same file as {original}"
        if code is not None:
            yield NewResult(seq=image.seq, status=ImageStatus.REJECTED, error_code=code, error_detail=detail)


def _content(image: PendingImage, stored: StoredObject | None) -> tuple[object, ...] | None:
    """Return a key that two images share if they are the same file; ``None`` if that is unknown."""
    if image.sha256 is not None:
        return "sha256", image.sha256
    return None if stored is None or stored.md5 is None else ("md5", stored.md5, stored.size)


def _fault(image: PendingImage, stored: StoredObject | None, max_bytes: int) -> tuple[ImageErrorCode | None, str]:
    if stored is None:
        return ImageErrorCode.OBJECT_MISSING, _missing(image)
    if stored.size == 0:
        return ImageErrorCode.EMPTY, "the file has no bytes; copy it again from the camera"
    if stored.size > max_bytes:
        return ImageErrorCode.TOO_LARGE, f"the file has {stored.size} bytes, at most {max_bytes} are allowed"
    if stored.size != image.size:
        return ImageErrorCode.SIZE_MISMATCH, _other_size(image, stored)
    return None, ""


def _missing(image: PendingImage) -> str:
    if image.bucket is not None:
        return "the object was there when the import began, and is gone"
    return "the file was announced but never uploaded"


def _other_size(image: PendingImage, stored: StoredObject) -> str:
    if image.bucket is not None:
        return f"the object had {image.size} bytes when the import began, it has {stored.size} now; import it again"
    return f"{image.size} bytes were announced, {stored.size} arrived; upload it again"
