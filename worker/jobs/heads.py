"""Reading the heads of images in the object store, several at a time, and planning their tiles."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from sqlalchemy.orm import Session

from shared.classifiers.registry import manifest_of
from shared.db.models import Classifier, Job
from shared.errors import ObjectMissing
from shared.jobs.heads import NewHead, UnreadImage
from shared.settings import Settings
from shared.tiles.plan import TilePlanner
from worker.context import Context
from worker.inference.heads import Head, PartialFile, read_head
from worker.leasing.leases import Lease


def planner_of(session: Session, job: Job, *, max_tiles: int) -> tuple[TilePlanner, str]:
    """Return the planner of a tiled job, and the name and version of its classifier for sentences."""
    classifier = session.get_one(Classifier, job.classifier_id)
    planner = TilePlanner.of(
        job.tiling or {},
        on_coarse=job.on_coarse,
        ground_resolution_mm=job.ground_resolution_mm,
        manifest=manifest_of(classifier),
        max_tiles=max_tiles,
    )
    return planner, f"{classifier.name} {classifier.version}"


def read_heads(
    context: Context, lease: Lease, images: Sequence[UnreadImage], planner: TilePlanner
) -> Iterator[NewHead]:
    """Yield the heads of images in their order; what cannot be read is unknown, and no fault.

    Raises:
        StoreUnavailable: the object store is away.
        LeaseLost, CancelRequested, StopRequested: as ``lease.check()``.
    """
    pool = ThreadPoolExecutor(context.settings.inspect_threads, thread_name_prefix="heads")
    try:
        for image, head in zip(images, pool.map(partial(_read, context), images), strict=True):
            lease.check()
            lease.progressed()
            yield _planned(image, head, planner)
    finally:
        pool.shutdown(cancel_futures=True)


def _read(context: Context, image: UnreadImage) -> Head:
    settings = context.settings

    def fetch(start: int, length: int) -> bytes:
        return context.store.get_range(image.object_key, bucket=image.bucket, start=start, length=length)

    try:
        file = PartialFile(image.size, fetch, first_bytes=settings.head_bytes)
        head = read_head(file, camera_zone=settings.camera_time_zone)
    except ObjectMissing:
        return Head()
    return head if _is_decoded(head, settings) else replace(head, size=None)


def _is_decoded(head: Head, settings: Settings) -> bool:
    """Return False for a picture that its decoder refuses for its pixels; nobody should read of its tiles instead."""
    if head.size is None:
        return True
    width, height = head.size
    return width * height <= settings.max_image_pixels and max(head.size) <= settings.max_image_side


def _planned(image: UnreadImage, head: Head, planner: TilePlanner) -> NewHead:
    width, height = head.size or (None, None)
    plan = planner.plan(head.upright_size, head.pose, height_above_ground=image.height_above_ground)
    return NewHead(image.seq, width, height, head.orientation, head.pose, plan)
