"""Classifying a chunk: what is finished is kept, whatever interrupts it."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import structlog

from shared.contracts.geography import PositionFault
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.errors import ObjectMissing, ObjectTooLarge, StoreUnavailable
from shared.jobs import claims
from shared.jobs.images import PendingImage, pending_images
from shared.jobs.results import NewResult
from shared.metrics.definitions import STAGE_SECONDS
from shared.tracing import span
from worker.inference.errors import ImageError
from worker.inference.pipeline import Item, Outcome
from worker.jobs.context import Context
from worker.jobs.leases import CancelAsked, Held, StopAsked
from worker.jobs.outcome import ChunkOutcome
from worker.metrics.results import count_results
from worker.metrics.stages import WRITE

log = structlog.get_logger()

# Errors of the object store that are about one object, and what they mean for its image.
OBJECT_ERRORS = {
    ObjectMissing: ImageErrorCode.OBJECT_MISSING,
    ObjectTooLarge: ImageErrorCode.TOO_LARGE,
}


def classify(context: Context, held: Held) -> ChunkOutcome:
    """Classify every image of the chunk that has no result yet, and close the chunk.

    When the object store goes away or the process is to stop, the chunk is handed back with what is finished.

    Raises:
        DatabaseUnavailable: Postgres stayed away for longer than a lease.
        LeaseLost: the chunk belongs to another worker.
        OutputInvalid: the model answered with something that is no probability.
    """
    chunk = held.claim
    with context.database.begin() as session:
        images = pending_images(session, chunk.job_id, first_seq=chunk.first_seq, last_seq=chunk.last_seq)
    done: list[NewResult] = []
    outcome = ChunkOutcome.FINISHED
    try:
        _run(context, held, images, done)
    except CancelAsked:
        log.info("chunk_canceled", finished=len(done), images=len(images))
        outcome = ChunkOutcome.CANCELED
    except StopAsked:
        _hand_back(context, held, done, pause_seconds=0)
        return ChunkOutcome.HANDED_BACK
    except StoreUnavailable as error:
        log.warning("chunk_handed_back", reason=str(error), finished=len(done), images=len(images))
        _hand_back(context, held, done, pause_seconds=context.settings.release_backoff_seconds)
        return ChunkOutcome.HANDED_BACK
    with span("store results", attributes={"phytobatch.images": len(done)}), STAGE_SECONDS.labels(WRITE).time():
        kept = context.database.run(
            lambda session: claims.finish(session, chunk, done), patience_seconds=context.settings.lease_seconds
        )
    count_results(kept)
    log.info("chunk_finished", images=len(done), attempt=chunk.attempt)
    return outcome


def _run(context: Context, held: Held, images: list[PendingImage], done: list[NewResult]) -> None:
    """Fill ``done``; it keeps what is finished when something is raised."""
    pipeline = context.pipelines[held.claim.pool]
    outcomes = pipeline.run(
        [
            Item(seq=i.seq, name=i.name, size=i.size, sha256=None if i.sha256 is None else i.sha256.hex())
            for i in images
        ],
        _fetcher(context, images),
        on_batch=held.check,
        isolated=held.claim.isolated,
        urgent=held.claim.urgent,
    )
    with closing(outcomes):
        for outcome in outcomes:
            done.append(_result_of(outcome, pipeline.classifier.runtime))
            held.progressed()


def _fetcher(context: Context, images: list[PendingImage]) -> Callable[[Item], bytes]:
    """How the pipeline gets at the bytes of an image."""
    by_seq = {image.seq: image for image in images}

    def fetch(item: Item) -> bytes:
        image = by_seq[item.seq]
        try:
            return context.store.get(image.object_key, bucket=image.bucket, max_bytes=context.settings.max_image_bytes)
        except (ObjectMissing, ObjectTooLarge) as error:
            raise ImageError(OBJECT_ERRORS[type(error)], str(error)) from error

    return fetch


def _result_of(outcome: Outcome, runtime: str) -> NewResult:
    """The result of an image, with the place that its file speaks of."""
    found, place = outcome.interpretation, _place_of(outcome)
    if found is None:
        error = outcome.error
        return NewResult(
            seq=outcome.seq,
            status=ImageStatus.FAILED,
            error_code=error.code if error else ImageErrorCode.DECODE_FAILED,
            error_detail=error.detail if error else None,
            **place,
        )
    return NewResult(
        seq=outcome.seq,
        status=ImageStatus.SUCCEEDED,
        label=found.label,
        confidence=found.confidence,
        probabilities=tuple(found.probabilities.values()),
        needs_review=found.needs_review,
        review_reason=found.review_reason,
        runtime=runtime,
        **place,
    )


def _place_of(outcome: Outcome) -> dict[str, Any]:
    place = outcome.place
    if place is None:
        return {}
    # A file that could not be decoded may have lost its metadata too: that it has none would be too much said.
    unread = outcome.interpretation is None and place.fault is PositionFault.NO_METADATA
    return {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude": place.altitude,
        "heading": place.heading,
        "captured_at": place.captured_at,
        "position_fault": None if unread else place.fault,
    }


def _hand_back(context: Context, held: Held, done: list[NewResult], *, pause_seconds: float) -> None:
    kept = context.database.run(lambda session: claims.release(session, held.claim, done, pause_seconds=pause_seconds))
    count_results(kept)
