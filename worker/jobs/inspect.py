"""The runner that inspects images: it reads the heads of their files, and plans their tiles.

What it cannot read is no fault: whoever decodes that file says what is wrong with it.
"""

from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy.orm import Session

from shared.contracts.states import ImageStatus
from shared.db.models import Job
from shared.jobs import claims, heads
from shared.jobs.cut import ChunkSizes
from shared.jobs.results import NewResult
from shared.limits.quotas import Quotas
from worker.context import Context
from worker.jobs.heads import planner_of, read_heads
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
        job = session.get_one(Job, claim.job_id)
        planner, classifier = planner_of(session, job, max_tiles=settings.max_tiles_per_image)
        images = heads.unread_images(session, claim.job_id, first_seq=claim.first_seq, last_seq=claim.last_seq)
    found = list(read_heads(context, lease, images, planner))
    rejected = [
        NewResult(
            seq=head.seq, status=ImageStatus.REJECTED, error_code=head.plan.refused, error_detail=head.plan.detail
        )
        for head in found
        if head.plan.refused is not None
    ]

    def finish(session: Session) -> Sequence[NewResult]:
        heads.store_heads(session, claim.job_id, found)
        return claims.finish_inspection(
            session,
            claim,
            rejected,
            inspected=len(found),
            sizes=ChunkSizes.of(settings),
            quotas=Quotas.of(settings),
            warn=partial(heads.warn, session, planner=planner, classifier=classifier),
        )

    count_results(context.database.run(finish))
    log.info("images_inspected", images=len(found), rejected=len(rejected))
    return ChunkOutcome.FINISHED
