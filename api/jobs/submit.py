"""Creating and committing jobs: the use cases that are the API's alone."""

import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from api.auth import Caller
from api.idempotency import Ticket
from api.jobs.schemas import AddedImage, ImageIn, Upload
from api.services import Services
from api.wire.jobs import JobOut, job_out, job_path, job_seen
from shared import audit
from shared.access.sources import check_source
from shared.classifiers import registry
from shared.contracts.audit import Action
from shared.contracts.job_request import JobRequest
from shared.contracts.states import JobState
from shared.db.models import Classifier, Job
from shared.errors import Conflict, LimitExceeded
from shared.jobs import lifecycle, queries
from shared.jobs.images import NewImage, add_images
from shared.jobs.results import classifier_of
from shared.limits import quotas
from shared.limits.quotas import Quotas
from shared.storage.keys import upload_key
from shared.tracing import span
from shared.webhooks.per_job import endpoint_for, url_of

log = structlog.get_logger()


def resolve(session: Session, request: JobRequest) -> Classifier | None:
    """Return the classifier that a client names; ``None`` leaves the choice to the commit.

    Raises:
        InvalidRequest: there is no such classifier, or it has not learned the tiles of the job.
    """
    named = request.classifier
    return None if named is None else _with_tiles(registry.resolve(session, named.name, named.version), request.tiling)


def default(session: Session, tiling: object) -> Classifier:
    """Return the classifier of jobs that name none.

    Raises:
        Unavailable: there is none yet.
        InvalidRequest: it has not learned the tiles of the job.
    """
    return _with_tiles(registry.resolve(session), tiling)


def _with_tiles(classifier: Classifier, tiling: object) -> Classifier:
    registry.check_tiling(classifier, tiling)
    return classifier


def create(services: Services, caller: Caller, request: JobRequest, ticket: Ticket) -> tuple[int, JobOut]:
    """Create a draft; or, with a source, a job that is validated at once. Return status and job.

    Raises:
        SourceNotAllowed: the tenant may not import from there.
        InvalidRequest: there is no such classifier, it has not learned the tiles of the job, or webhooks may not go to
            this URL.
        Conflict: a ``webhook_url`` is named, and the tenant has no job secret.
        Unavailable: there is no default classifier yet.
        QuotaExceeded: the tenant has as many open jobs as it may.
    """
    settings = services.settings
    if request.webhook_url is not None:
        services.webhook_policy.check(request.webhook_url)
    if request.source is not None:
        check_source(request.source.s3, caller.s3_sources, upload_bucket=settings.s3_bucket)
    with services.database.begin() as session:
        quota = quotas.lock_tenant(session, caller.tenant_id, Quotas.of(settings))
        classifier = resolve(session, request)
        job = lifecycle.create_draft(
            session,
            caller.tenant_id,
            request,
            draft_hours=settings.draft_hours,
            classifier_id=None if classifier is None else classifier.id,
            webhook_endpoint_id=endpoint_for(session, caller.tenant_id, request.webhook_url),
        )
        quota.check(jobs=1)
        audit.record(session, caller.actor, Action.JOB_CREATE, job.id, tenant_id=caller.tenant_id)
        status = 201
        if request.source is not None:
            classifier = classifier or default(session, job.tiling)
            job = lifecycle.commit(session, job.id, classifier.id)
            audit.record(session, caller.actor, Action.JOB_COMMIT, job.id, tenant_id=caller.tenant_id)
            status = 202
        out = committed(session, job, classifier, request.webhook_url)
        ticket.complete(session, status, out.model_dump(mode="json"), location=job_path(job.id))
    log.info("job_created", job_id=str(job.id), state=job.state)
    if request.source is not None:
        services.waker.nudge()
    return status, out


def commit(services: Services, caller: Caller, job_id: uuid.UUID) -> JobOut:
    """Pin the classifier and let a worker validate the images. Repeating it changes nothing.

    Raises:
        NotFound: this tenant has no such job.
        Conflict: the draft has no images, or it expired or was canceled.
        InvalidRequest: the default classifier has not learned the tiles of the job; it stays a draft.
        Unavailable: there is no default classifier yet.
    """
    with services.database.begin() as session:
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        classifier = classifier_of(session, job)
        if job.state == JobState.DRAFT:
            classifier = classifier or default(session, job.tiling)
            with span("commit job", parent=job.traceparent, attributes={"phytobatch.job_id": str(job_id)}):
                job = lifecycle.commit(session, job_id, classifier.id)
            audit.record(session, caller.actor, Action.JOB_COMMIT, job_id, tenant_id=caller.tenant_id, images=job.total)
        elif job.committed_at is None:
            raise Conflict(f"this job is {job.state}; create a new one", code="job-not-draft")
        out = committed(session, job, classifier, url_of(session, job))
    log.info("job_committed", job_id=str(job_id), images=job.total)
    services.waker.nudge()
    return out


def committed(session: Session, job: Job, classifier: Classifier | None, webhook_url: str | None) -> JobOut:
    """Return the answer to a request that commits: of a job with tiles with all that is known of its work."""
    if job.tiling is None or job.committed_at is None:
        return job_out(job, classifier, webhook_url)
    row = queries.get_job(session, job.tenant_id, job.id)
    return job_seen(row, row.read_at)


def name_images(services: Services, caller: Caller, job_id: uuid.UUID, images: Sequence[ImageIn]) -> list[AddedImage]:
    """Add images to a draft, and sign an upload for each.

    Raises:
        NotFound: this tenant has no such job.
        Conflict: the job is past its draft, or a name stands for another file.
        LimitExceeded: too many images, or one is too large.
        QuotaExceeded: the tenant has as many pending images as it may; none of the page is taken.
    """
    settings = services.settings
    _check_page(images, max_images=settings.max_page_size, max_bytes=settings.max_image_bytes)
    new = [_new_image(image) for image in images]
    with services.database.begin() as session:
        quota = quotas.lock_tenant(session, caller.tenant_id, Quotas.of(settings))
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        _check_draft(job)
        before = job.total
        numbers = add_images(session, job, new, max_images=settings.max_images_per_job)
        quota.check(images=job.total - before, of_job=job.total)
    return [_added(services, job_id, seq, image) for seq, image in zip(numbers, new, strict=True)]


def _check_page(images: Sequence[ImageIn], *, max_images: int, max_bytes: int) -> None:
    if len(images) > max_images:
        raise LimitExceeded(
            f"a page has at most {max_images} images, this one has {len(images)}; send several pages",
            setting="PHYTOBATCH_MAX_PAGE_SIZE",
        )
    for image in images:
        if image.size > max_bytes:
            raise LimitExceeded(
                f"{image.name!r} has {image.size} bytes, an image has at most {max_bytes}; make it smaller",
                setting="PHYTOBATCH_MAX_IMAGE_BYTES",
            )


def _check_draft(job: Job) -> None:
    if job.state != JobState.DRAFT:
        raise Conflict(f"this job is {job.state}; images can be added to a draft only", code="job-not-draft")
    if job.source is not None:
        raise Conflict("this job takes its images from its source; create another one to upload", code="job-not-draft")


def _new_image(image: ImageIn) -> NewImage:
    return NewImage(
        name=image.name,
        size=image.size,
        sha256=None if image.sha256 is None else bytes.fromhex(image.sha256),
        metadata=image.metadata,
        latitude=image.latitude,
        longitude=image.longitude,
        altitude=image.altitude,
        heading=image.heading,
        captured_at=image.captured_at,
        height_above_ground=image.height_above_ground,
    )


def _added(services: Services, job_id: uuid.UUID, seq: int, image: NewImage) -> AddedImage:
    signed = services.store.presign_put(
        upload_key(job_id, seq),
        size=image.size,
        sha256=image.sha256,
        seconds=services.settings.presigned_url_seconds,
    )
    upload = Upload(url=signed.url, headers=signed.headers, expires_at=signed.expires_at)
    return AddedImage(seq=seq, name=image.name, upload=upload)
