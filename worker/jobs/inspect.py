"""The runner that inspects images: it reads the heads of their files, and plans their tiles.

What it cannot read is no fault: whoever decodes that file says what is wrong with it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from sqlalchemy.orm import Session

from shared.classifiers.registry import manifest_of
from shared.contracts.states import ImageStatus
from shared.db.models import Classifier, Job
from shared.errors import ObjectMissing
from shared.jobs import claims, heads
from shared.jobs.cut import ChunkSizes
from shared.jobs.heads import NewHead, UnreadImage
from shared.jobs.results import NewResult
from shared.limits.quotas import Quotas
from shared.tiles.plan import TilePlanner
from worker.context import Context
from worker.inference.heads import Head, PartialFile, read_head
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome
from worker.metrics import count_results

log = structlog.get_logger()


def inspect(context: Context, lease: Lease) -> ChunkOutcome:
    """Read the heads of a range of images; in one transaction at the end, store them and reject what cannot run.

    Raises:
        StoreUnavailable: the object store is away.
        DatabaseUnavailable: Postgres is away.
        LeaseLost: the chunk belongs to another worker.
        CancelRequested, StopRequested: an order, from ``lease.check()``.
    """
    claim, settings = lease.claim, context.settings
    with context.database.begin() as session:
        planner, classifier = _planner(session, lease, max_tiles=settings.max_tiles_per_image)
        images = heads.unread_images(session, claim.job_id, first_seq=claim.first_seq, last_seq=claim.last_seq)
    found = [_head_of(image, head, planner) for image, head in _read(context, lease, images)]
    rejected = [
        NewResult(
            seq=head.seq, status=ImageStatus.REJECTED, error_code=head.plan.refused, error_detail=head.plan.detail
        )
        for head in found
        if head.plan.refused is not None
    ]

    def finish(session: Session) -> list[NewResult]:
        heads.store_heads(session, claim.job_id, found)
        kept = claims.finish_inspection(
            session,
            claim,
            rejected,
            inspected=len(found),
            sizes=ChunkSizes.of(settings),
            quotas=Quotas.of(settings),
        )
        heads.warn(session, session.get_one(Job, claim.job_id), planner, classifier)
        return list(kept)

    count_results(context.database.run(finish))
    log.info("images_inspected", images=len(found), rejected=len(rejected))
    return ChunkOutcome.FINISHED


def _planner(session: Session, lease: Lease, *, max_tiles: int) -> tuple[TilePlanner, str]:
    """Return the planner of the job, and the name of its classifier for sentences."""
    job = session.get_one(Job, lease.claim.job_id)
    classifier = session.get_one(Classifier, job.classifier_id)
    planner = TilePlanner.of(
        job.tiling or {},
        on_coarse=job.on_coarse,
        ground_resolution_mm=job.ground_resolution_mm,
        manifest=manifest_of(classifier),
        max_tiles=max_tiles,
    )
    return planner, f"{classifier.name} {classifier.version}"


def _read(context: Context, lease: Lease, images: list[UnreadImage]) -> Iterator[tuple[UnreadImage, Head]]:
    """Yield images with their heads, in their order; several are read at a time."""
    pool = ThreadPoolExecutor(context.settings.inspect_threads, thread_name_prefix="inspect")
    try:
        for image, head in zip(images, pool.map(partial(_read_one, context), images), strict=True):
            lease.check()
            lease.progressed()
            yield image, head
    finally:
        pool.shutdown(cancel_futures=True)


def _read_one(context: Context, image: UnreadImage) -> Head:
    settings = context.settings

    def fetch(start: int, length: int) -> bytes:
        return context.store.get_range(image.object_key, bucket=image.bucket, start=start, length=length)

    try:
        file = PartialFile(image.size, fetch, first_bytes=settings.head_bytes)
        return read_head(file, camera_zone=settings.camera_time_zone)
    except ObjectMissing:
        return Head()


def _head_of(image: UnreadImage, head: Head, planner: TilePlanner) -> NewHead:
    width, height = head.size or (None, None)
    plan = planner.plan(head.upright_size, head.pose, height_above_ground=image.height_above_ground)
    return NewHead(image.seq, width, height, head.orientation, head.pose, plan)
