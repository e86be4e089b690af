"""Claims: which worker works on which chunk, and for how long.

A claim is one SQL statement. It takes a lease and a fencing token, and counts the attempt before a byte is read. All
times are the database's ``now()``, so the clock of a worker does not matter. Whoever writes for a chunk names its
token; when the token no longer matches, the chunk belongs to somebody else, and nothing is written.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.contracts.states import ChunkKind, ChunkState, JobState, Priority
from shared.db.models import Job
from shared.errors import LeaseLost
from shared.jobs import exports, inspections, lifecycle
from shared.jobs.chunks import PRIORITY_ORDER, isolated_pool_of
from shared.jobs.cut import ChunkSizes
from shared.jobs.heads import NewHead, store_heads
from shared.jobs.results import NewResult, store_results
from shared.jobs.turns import CLAIM, COUNT_AGAIN, WITH_READY_CHUNK
from shared.jobs.work import count_work
from shared.limits.quotas import UNLIMITED, Quotas, lock_for_tiles
from shared.receipts import writing as receipts
from shared.tracing import Origin

# ORDER BY keeps PostgreSQL on the index of what is ready: without it, it may read a whole table of done chunks.
READY_CHUNKS = text(
    """
    SELECT count(*) FROM (
        SELECT 1 FROM chunks WHERE state = 'ready' AND not_before <= now()
        ORDER BY pool, priority, tenant_id, job_id, no LIMIT :limit) AS found
    """
)

TENANT_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('running chunks', 0) # hashtextextended(:tenant, 0))")
# The second try is past a tenant without room; a third one, where room came and went meanwhile.
MAX_TRIES = 3

RENEW = text(
    """
    UPDATE chunks AS c SET lease_until = now() + :lease, lifeline = :lifeline, lifeline_of = :token
    FROM jobs j
    WHERE c.job_id = :job AND c.no = :no AND c.lease_token = :token AND c.state = 'running' AND j.id = c.job_id
      AND (j.deleted_at IS NULL OR c.kind = 'purge')
    RETURNING j.state
    """
)

# Answers that are kept for repeated requests show the job as it was made, with its name and metadata.
FORGET_ANSWERS = text(
    """
    DELETE FROM idempotency_keys WHERE tenant_id = :tenant AND location IN (
        SELECT '/v1/jobs/' || CAST(:job AS uuid)
        UNION ALL SELECT '/v1/exports/' || id FROM exports WHERE job_id = :job)
    """
)

SET_ASIDE = text("UPDATE chunks SET pool = :pool, isolated = true WHERE job_id = :job AND no = :no AND state = 'ready'")
OTHERS_WAIT = text(
    """
    SELECT EXISTS (SELECT 1 FROM chunks WHERE state = 'ready' AND pool = :pool AND not_before <= now()
                   AND tenant_id <> :tenant)
    """
)
PAUSE_TENANT = text(
    """
    UPDATE chunks SET not_before = now() + :pause
    WHERE state = 'ready' AND pool = :pool AND tenant_id = :tenant AND not_before < now() + :pause
    """
)

NOT_LIMITED = frozenset(ChunkKind) - {ChunkKind.CLASSIFY}

READ_STATE = text(
    """
    SELECT j.state FROM chunks c JOIN jobs j ON j.id = c.job_id
    WHERE c.job_id = :job AND c.no = :no AND c.lease_token = :token AND c.state = 'running'
      AND (j.deleted_at IS NULL OR c.kind = 'purge')
    """
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that belongs to this worker until its lease runs out."""

    job_id: uuid.UUID
    no: int
    tenant_id: uuid.UUID
    kind: ChunkKind
    pool: str
    first_seq: int
    last_seq: int
    attempt: int
    isolated: bool
    urgent: bool
    token: int
    origin: Origin
    lifeline: int | None = None
    export_id: uuid.UUID | None = None

    @property
    def key(self) -> dict[str, object]:
        """The parameters of every guarded statement."""
        return {"job": self.job_id, "no": self.no, "token": self.token}


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of work that a worker would take: one pool, interactive or bulk."""

    pool: str
    priority: Priority

    @property
    def is_limited(self) -> bool:
        """True where the limit of running chunks holds: for bulk images alone."""
        return self.priority is Priority.BULK and self.pool not in NOT_LIMITED


def claim(
    session: Session,
    offers: Sequence[Offer],
    *,
    worker: str,
    lease_seconds: float,
    max_running: int = 0,
    lifeline: int | None = None,
    heeds_pauses: bool = True,
) -> Claim | None:
    """Take the fairest ready chunk of the first offer for which there is one.

    Args:
        session: a transaction; the caller commits before it does any work.
        offers: what this worker would take, most urgent first.
        worker: name of the process, for the operator.
        lease_seconds: how long the claim holds without renewal.
        max_running: most bulk chunks that a tenant runs at a time, where it has no limit of its own; 0: no limit.
        lifeline: the number of the worker's lifeline, where it has one.
        heeds_pauses: whether pauses of everything, of the pool and of the worker hold.

    Returns:
        The claim, or ``None`` when nothing is ready.
    """
    for offer in _with_ready_chunk(session, offers, worker if heeds_pauses else None):
        how = claim_parameters(
            offer, worker=worker, lease_seconds=lease_seconds, max_running=max_running, lifeline=lifeline
        )
        row = _take(session, how)
        if row is not None:
            taken = _claim_of(row)
            if row.job_state == JobState.QUEUED and taken.kind is ChunkKind.CLASSIFY:
                lifecycle.start(session, taken.job_id)
            return taken
    return None


def _with_ready_chunk(session: Session, offers: Sequence[Offer], worker: str | None) -> list[Offer]:
    """Select the offers for which a chunk is ready, in their order: one query instead of a claim for each."""
    parameters = {
        "pools": [o.pool for o in offers],
        "priorities": [PRIORITY_ORDER[o.priority] for o in offers],
        "worker": worker or "",
        "heeds": worker is not None,
    }
    return [offers[nth - 1] for nth in session.scalars(WITH_READY_CHUNK, parameters)]


def claim_parameters(
    offer: Offer, *, worker: str, lease_seconds: float, max_running: int = 0, lifeline: int | None = None
) -> dict[str, object]:
    """Return the parameters of the statement ``CLAIM``."""
    return {
        "pool": offer.pool,
        "priority": PRIORITY_ORDER[offer.priority],
        "worker": worker,
        "lease": timedelta(seconds=lease_seconds),
        "limited": offer.is_limited,
        "max_running": max_running,
        "lifeline": lifeline,
    }


def _take(session: Session, how: dict[str, object]) -> Row[Any] | None:
    """Take one chunk. A claim that is too late for a tenant's last place tries again, past that tenant."""
    for _ in range(MAX_TRIES):
        row = session.execute(CLAIM, how).one_or_none()
        if row is None or not row.max_running or _has_room(session, row):
            return row
        _hand_back(session, _claim_of(row), pause_seconds=0)
    return None


def _has_room(session: Session, row: Row[Any]) -> bool:
    session.execute(TENANT_LOCK, {"tenant": str(row.tenant_id)})
    running = session.execute(COUNT_AGAIN, {"tenant": row.tenant_id}).scalar_one()
    return bool(running <= row.max_running)


def _claim_of(row: Row[Any]) -> Claim:
    return Claim(
        job_id=row.job_id,
        no=row.no,
        tenant_id=row.tenant_id,
        kind=ChunkKind(row.kind),
        pool=row.pool,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        attempt=row.attempt,
        isolated=row.isolated,
        urgent=row.priority == PRIORITY_ORDER[Priority.INTERACTIVE],
        token=row.lease_token,
        origin=Origin(row.request_id, row.traceparent),
        lifeline=row.lifeline,
        export_id=row.export_id,
    )


def ready_chunks(session: Session, *, limit: int) -> int:
    """Count the chunks that could be claimed now, up to ``limit``."""
    return int(session.execute(READY_CHUNKS, {"limit": limit}).scalar_one())


def renew(session: Session, claim: Claim, *, lease_seconds: float, lifeline: int | None = None) -> JobState:
    """Hold the chunk for another lease, on the lifeline that the worker has now.

    Returns:
        The state of its job, so that the worker learns of a cancel.

    Raises:
        LeaseLost: the chunk belongs to somebody else.
    """
    state = session.execute(
        RENEW, {**claim.key, "lease": timedelta(seconds=lease_seconds), "lifeline": lifeline}
    ).scalar_one_or_none()
    return _state(claim, state)


def read_state(session: Session, claim: Claim) -> JobState:
    """Read the state of the job of a chunk that we hold, without renewing the lease.

    Raises:
        LeaseLost: the chunk belongs to somebody else.
    """
    return _state(claim, session.execute(READ_STATE, claim.key).scalar_one_or_none())


def _state(claim: Claim, state: str | None) -> JobState:
    if state is None:
        raise LeaseLost(f"chunk {claim.no} of job {claim.job_id} is no longer leased under token {claim.token}")
    return JobState(state)


def close(session: Session, claim: Claim) -> bool:
    """Close the chunk under its token. ``False``: it was closed under this very token before (a repeated commit).

    Raises:
        LeaseLost: the chunk belongs to somebody else.
    """
    closed = session.execute(
        text(
            "UPDATE chunks SET state = 'done', done_at = now(), lease_until = NULL "
            "WHERE job_id = :job AND no = :no AND lease_token = :token AND state = 'running' RETURNING 1"
        ),
        claim.key,
    ).one_or_none()
    if closed is not None:
        return True
    mine = session.execute(
        text("SELECT 1 FROM chunks WHERE job_id = :job AND no = :no AND lease_token = :token AND state = 'done'"),
        claim.key,
    ).one_or_none()
    if mine is None:
        raise LeaseLost(f"chunk {claim.no} of job {claim.job_id} is no longer leased under token {claim.token}")
    return False


def finish(session: Session, claim: Claim, results: Sequence[NewResult]) -> Sequence[NewResult]:
    """Store the results of a chunk and close it; the one who closes the last chunk ends the job.

    Harmless to repeat: the second time it finds the chunk closed under its own token, and does nothing.

    Returns:
        What was stored: ``results``, but for those that the database refused.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    job = lifecycle.lock_job(session, claim.job_id)
    if not close(session, claim):
        return results
    kept = store_results(session, job, results, closed_chunks=1)
    if not lifecycle.finish_if_done(session, job):
        lifecycle.record_progress(session, job)
    return kept


def finish_validation(
    session: Session,
    claim: Claim,
    rejected: Sequence[NewResult],
    *,
    sizes: ChunkSizes,
    quotas: Quotas = UNLIMITED,
) -> Sequence[NewResult]:
    """Store what validation refused, cut the rest into chunks and close the validating chunk.

    A tiled job is cut into inspecting chunks first; if all its heads are known, it goes on as after its inspection.

    Returns:
        What was stored, as :func:`finish` does.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    quota = lock_for_tiles(session, claim.tenant_id, quotas)
    job = lifecycle.lock_job(session, claim.job_id)
    if not close(session, claim):
        return rejected
    kept = store_results(session, job, rejected, closed_chunks=1)
    if job.tiling is not None:
        lifecycle.inspect(session, job, sizes=sizes)
    inspections.conclude(session, job, sizes=sizes, quota=quota)
    return kept


def finish_inspection(
    session: Session,
    claim: Claim,
    rejected: Sequence[NewResult],
    *,
    inspected: int,
    sizes: ChunkSizes,
    quotas: Quotas,
    warn: Callable[[Job], None] = lambda _: None,
) -> Sequence[NewResult]:
    """Close an inspecting chunk; who closes the last one cuts the rest of the job by its work.

    The heads are stored by the caller before this, in the same transaction: they go with the token.

    Args:
        session: a transaction.
        claim: the chunk.
        rejected: what its heads show cannot run.
        inspected: the number of images whose heads it read, or tried to.
        sizes: of the new chunks.
        quotas: of tenants without their own. A job that has more tiles than its tenant may have waiting fails with
            ``quota_exceeded``; a retry validates it again.
        warn: puts warnings on the job, whose row is locked then; the event of the job's next state tells them.

    Returns:
        What was stored, as :func:`finish` does.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored, the heads neither.
    """
    quota = lock_for_tiles(session, claim.tenant_id, quotas)
    job = lifecycle.lock_job(session, claim.job_id)
    if not close(session, claim):
        return rejected
    kept = store_results(session, job, rejected, closed_chunks=1)
    inspections.count(session, job, inspected)
    warn(job)
    inspections.conclude(session, job, sizes=sizes, quota=quota)
    return kept


def note_heads(session: Session, claim: Claim, found: Sequence[NewHead], *, warn: Callable[[Job], None]) -> None:
    """Store the heads that the worker of a classifying chunk read itself, and count the work that they show.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    job = lifecycle.lock_job(session, claim.job_id)
    read_state(session, claim)
    store_heads(session, job.id, found)
    inspections.count(session, job, len(found))
    count_work(session, job)
    warn(job)


def fail_job(session: Session, claim: Claim, *, code: str, detail: str) -> None:
    """Close the validating chunk of a job that can never run, and end the job with its reason.

    A job that was canceled meanwhile is canceled.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    job = lifecycle.lock_job(session, claim.job_id)
    if close(session, claim):
        store_results(session, job, [], closed_chunks=1)
        if not lifecycle.finish_if_done(session, job):
            lifecycle.fail(session, job, code=code, detail=detail)


def release(
    session: Session, claim: Claim, results: Sequence[NewResult] = (), *, pause_seconds: float = 0.0
) -> Sequence[NewResult]:
    """Hand a chunk back: what was finished is stored, the rest can be claimed again, and the attempt does not count.

    Returns:
        What was stored, as :func:`finish` does.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    if claim.export_id is not None:
        _hand_back(session, claim, pause_seconds)
        exports.queue_again(session, claim.export_id, attempt=claim.attempt - 1, pause_seconds=pause_seconds)
        return ()
    job = lifecycle.lock_job(session, claim.job_id)
    _hand_back(session, claim, pause_seconds)
    kept = store_results(session, job, results, closed_chunks=0)
    if job.state == JobState.CANCELING:
        lifecycle.close_ready_chunks(session, job)
        lifecycle.finish_if_done(session, job)
    return kept


def set_aside(session: Session, claim: Claim, results: Sequence[NewResult]) -> Sequence[NewResult]:
    """Hand a chunk back for the slot that decodes in processes: only unusual pictures are left of it.

    Returns:
        What was stored, as :func:`finish` does.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    kept = release(session, claim, results)
    session.execute(SET_ASIDE, {"job": claim.job_id, "no": claim.no, "pool": isolated_pool_of(claim.pool)})
    return kept


def others_wait(session: Session, claim: Claim) -> bool:
    """Tell whether another tenant has a ready chunk in the pool of ours."""
    return bool(session.execute(OTHERS_WAIT, {"pool": claim.pool, "tenant": claim.tenant_id}).scalar_one())


def yield_turn(
    session: Session, claim: Claim, results: Sequence[NewResult], *, pause_seconds: float
) -> Sequence[NewResult]:
    """Hand a chunk back so that other tenants are next: those of this tenant in the pool pause for a while.

    Returns:
        What was stored, as :func:`finish` does.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is stored.
    """
    kept = release(session, claim, results, pause_seconds=pause_seconds)
    pause = timedelta(seconds=pause_seconds)
    session.execute(PAUSE_TENANT, {"pool": claim.pool, "tenant": claim.tenant_id, "pause": pause})
    return kept


def abandon(session: Session, claim: Claim) -> None:
    """End the lease at once after a fault of our own: the attempt counts, and the next sweep decides what follows."""
    session.execute(
        text(
            "UPDATE chunks SET lease_until = now() WHERE job_id = :job AND no = :no AND lease_token = :token "
            "AND state = 'running'"
        ),
        claim.key,
    )


def finish_purge(session: Session, claim: Claim) -> None:
    """Remove every row of a deleted job, after its objects are gone. Harmless to repeat.

    Raises:
        LeaseLost: the chunk belongs to somebody else; nothing is removed.
    """
    if session.get(Job, claim.job_id) is None:
        return
    job = lifecycle.lock_job(session, claim.job_id)
    if close(session, claim):
        receipts.complete(session, job)
        session.execute(FORGET_ANSWERS, {"tenant": job.tenant_id, "job": job.id})
        session.execute(text("DELETE FROM jobs WHERE id = :job AND deleted_at IS NOT NULL"), {"job": claim.job_id})


def _hand_back(session: Session, claim: Claim, pause_seconds: float) -> None:
    back = session.execute(
        text(
            "UPDATE chunks SET state = :ready, attempt = attempt - 1, lease_until = NULL, lease_token = NULL, "
            "not_before = now() + :pause "
            "WHERE job_id = :job AND no = :no AND lease_token = :token AND state = 'running' RETURNING 1"
        ),
        {**claim.key, "ready": ChunkState.READY, "pause": timedelta(seconds=pause_seconds)},
    ).one_or_none()
    if back is None:
        raise LeaseLost(f"chunk {claim.no} of job {claim.job_id} is no longer leased under token {claim.token}")
