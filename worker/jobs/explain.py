"""The runner that says why tiles of an answered photograph have their labels."""

from collections.abc import Generator
from contextlib import closing

import structlog

from shared.contracts.states import ImageErrorCode
from shared.errors import LeaseLost, NotFound
from shared.jobs import explanations
from shared.jobs.chunks import classifier_pool_of
from shared.jobs.explanations import Explained, ToExplain
from shared.jobs.images import PendingImage
from worker.context import Context
from worker.inference.errors import ImageError
from worker.inference.items import Item, Outcome
from worker.inference.pipeline import Odd
from worker.inference.tiles.tile_cut import KnownTiles, TileCut
from worker.jobs.fetching import fetcher_of
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome

log = structlog.get_logger()

GONE = "the photograph was removed, as the retention of its job says"


def explain(context: Context, lease: Lease) -> ChunkOutcome:
    """Explain every tile of the image that somebody asks for, from its photograph, and close the chunk.

    Raises:
        StoreUnavailable, DatabaseUnavailable: infrastructure is away.
        LeaseLost: the chunk belongs to another worker, or the job was deleted.
        OutputInvalid: the classifier returned numbers that are not probabilities.
        CancelRequested, StopRequested: an order, from ``lease.check()``.
    """
    claim, database = lease.claim, context.database
    try:
        with database.begin() as session:
            wanted = explanations.read_requests(session, claim)
    except NotFound as error:
        raise LeaseLost(f"job {claim.job_id} was deleted") from error
    found = _explained(context, lease, wanted) if wanted.tiles else {}
    database.run(
        lambda session: explanations.finish(session, claim, found), patience_seconds=context.settings.lease_seconds
    )
    log.info("tiles_explained", seq=claim.first_seq, tiles=len(found), attempt=claim.attempt)
    return ChunkOutcome.FINISHED


def _explained(context: Context, lease: Lease, wanted: ToExplain) -> dict[int, Explained]:
    """Return the answer for each tile that was asked for."""
    if wanted.image is None:
        return dict.fromkeys(wanted.tiles, Explained(None, ImageErrorCode.OBJECT_MISSING, GONE))
    with closing(_outcomes(context, lease, wanted.image, wanted)) as outcomes:
        outcome = next(outcomes)
    if outcome.error is not None:
        return dict.fromkeys(wanted.tiles, _failed(outcome.error))
    made = outcome.explanations or {}
    return {tile: Explained(made[tile].packed) for tile in wanted.tiles}


def _outcomes(context: Context, lease: Lease, image: PendingImage, wanted: ToExplain) -> Generator[Outcome, None, None]:
    answered = wanted.answered
    labels = {tile: answered.labels[tile] for tile in wanted.tiles}
    cut = TileCut(answered.grid.edge, known=KnownTiles(answered.grid, labels))
    sha256 = None if image.sha256 is None else image.sha256.hex()
    return context.pipelines[classifier_pool_of(lease.claim.pool)].run(
        [Item(image.seq, image.name, image.size, sha256, cut)],
        fetcher_of(context, [image]),
        on_batch=lease.check,
        on_work=lambda _: lease.progressed(),
        # One that ended its worker is decoded in a process of its own the next time.
        odd=Odd.ISOLATE if lease.claim.attempt == 1 else Odd.ISOLATE_ALL,
        urgent=True,
        explain=True,
    )


def _failed(error: ImageError) -> Explained:
    return Explained(error_code=error.code, error_detail=error.detail)
