"""The runner that classifies a chunk of images; finished results are kept, whatever interrupts it."""

import time
from contextlib import closing
from dataclasses import fields, replace
from typing import Any

import structlog

from shared.contracts.geography import PositionFault
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.db.models import Job
from shared.errors import DatabaseUnavailable
from shared.jobs import claims
from shared.jobs.chunks import classifier_pool_of, is_tiled_pool
from shared.jobs.claims import Claim
from shared.jobs.images import PendingImage, pending_images
from shared.jobs.results import NewResult
from shared.metrics.definitions import STAGE_SECONDS
from shared.tracing import span
from worker.context import Context
from worker.inference.interpret import Interpretation
from worker.inference.pipeline import Item, Odd, Outcome
from worker.jobs.cuts import cut_photographs
from worker.jobs.fetching import fetcher_of
from worker.jobs.tiled_result import tiled_result
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome, TurnOver
from worker.metrics import WRITE, count_results

log = structlog.get_logger()

# How long an isolated chunk keeps its slot while another tenant waits for it.
TURN_SECONDS = 10.0
# These have another form in a result.
REFORMED = {"probabilities", "explanation"}
# What an interpretation says under the name of a field of the result.
ANSWERED = frozenset(field.name for field in fields(NewResult) if hasattr(Interpretation, field.name)) - REFORMED


def classify(context: Context, lease: Lease) -> ChunkOutcome:
    """Classify every image of the chunk that has no result yet, and close the chunk.

    If only odd pictures are left, the chunk is set aside for the slot that decodes them in processes.

    Raises:
        StoreUnavailable: the object store is away.
        DatabaseUnavailable: Postgres stayed away for longer than a lease.
        LeaseLost: the chunk belongs to another worker.
        OutputInvalid: the classifier returned numbers that are not probabilities.
        CancelRequested, StopRequested: an order, from ``lease.check()``.
        TurnOver: the chunk had its turn, and another tenant waits for the slot.
    """
    chunk, database, done = lease.claim, context.database, lease.done
    with database.begin() as session:
        images = pending_images(session, chunk.job_id, first_seq=chunk.first_seq, last_seq=chunk.last_seq)
        explain = not is_tiled_pool(chunk.pool) and session.get_one(Job, chunk.job_id).explain
    if _run(context, lease, images, explain=explain):
        log.info("chunk_set_aside", finished=len(done), images=len(images))
        count_results(database.run(lambda session: claims.set_aside(session, chunk, done)))
        return ChunkOutcome.SET_ASIDE
    with span("store results", attributes={"phytobatch.images": len(done)}), STAGE_SECONDS.labels(WRITE).time():
        kept = database.run(
            lambda session: claims.finish(session, chunk, done), patience_seconds=context.settings.lease_seconds
        )
    count_results(kept)
    log.info("chunk_finished", images=len(done), attempt=chunk.attempt)
    return ChunkOutcome.FINISHED


def _run(context: Context, lease: Lease, images: list[PendingImage], *, explain: bool) -> int:
    """Fill ``lease.done``, which keeps the finished results if something is raised.

    Returns:
        The number of pictures that are left for the slot that decodes in processes.
    """
    pipeline = context.pipelines[classifier_pool_of(lease.claim.pool)]
    began, deferred = time.monotonic(), 0
    items = [
        Item(seq=i.seq, name=i.name, size=i.size, sha256=None if i.sha256 is None else i.sha256.hex()) for i in images
    ]
    if is_tiled_pool(lease.claim.pool):
        cut = cut_photographs(context, lease, images, pipeline.classifier.manifest)
        lease.done += cut.answered
        items = [replace(item, tiles=cut.tiles[item.seq]) for item in items if item.seq in cut.tiles]
    outcomes = pipeline.run(
        items,
        fetcher_of(context, images),
        on_batch=lambda: _check(context, lease, began),
        on_work=lambda _: lease.progressed(),  # a photograph may have thousands of tiles
        odd=_odd_pictures(lease.claim),
        urgent=lease.claim.urgent,
        explain=explain,
    )
    with closing(outcomes):
        for outcome in outcomes:
            if outcome.deferred:
                deferred += 1
            else:
                lease.done.append(_result_of(outcome, pipeline.classifier.runtime))
            lease.progressed()
    return deferred


def _odd_pictures(claim: Claim) -> Odd:
    """Decide about odd pictures, which take seconds each: no bulk slot waits for them."""
    if claim.isolated:
        return Odd.ISOLATE_ALL
    return Odd.ISOLATE if claim.urgent else Odd.DEFER


def _check(context: Context, lease: Lease, began: float) -> None:
    """Do ``lease.check()``, and end the turn of an isolated chunk while another tenant waits for its slot.

    Raises:
        TurnOver: something is finished, the turn was long enough, and another tenant waits.
    """
    lease.check()
    claim = lease.claim
    if not claim.isolated or claim.urgent or not lease.done:  # Each turn brings a chunk further.
        return
    if time.monotonic() - began < TURN_SECONDS:
        return
    try:
        with context.database.begin() as session:
            others_wait = claims.others_wait(session, claim)
    except DatabaseUnavailable:
        return
    if others_wait:
        raise TurnOver


def _result_of(outcome: Outcome, runtime: str) -> NewResult:
    """Return the result of an image, with the position from its file."""
    interpretation, place = outcome.interpretation, _place_of(outcome)
    if outcome.answer is not None:
        return tiled_result(outcome.seq, outcome.answer, runtime=runtime, **place)
    if interpretation is None:
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
        runtime=runtime,
        **{name: getattr(interpretation, name) for name in ANSWERED},
        probabilities=tuple(interpretation.probabilities.values()),
        explanation=None if interpretation.explanation is None else interpretation.explanation.packed,
        **place,
    )


def _place_of(outcome: Outcome) -> dict[str, Any]:
    place = outcome.place
    if place is None:
        return {}
    # A file that could not be decoded may have lost its metadata too, so "it has none" would be a guess.
    unread = outcome.status is ImageStatus.FAILED and place.fault is PositionFault.NO_METADATA
    return {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude": place.altitude,
        "heading": place.heading,
        "captured_at": place.captured_at,
        "position_fault": None if unread else place.fault,
    }
