"""The sweep, which makes up for every signal that was lost.

Each part is harmless to run twice, and from several processes at the same time.
"""

import uuid
from dataclasses import astuple, dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import programs
from shared.contracts.exports import ExportErrorCode, ExportOutcome
from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus, JobState
from shared.db.models import Chunk, Job
from shared.db.session import Database
from shared.errors import NotFound
from shared.jobs import explanations, exports, inspections, lifecycle
from shared.jobs.chunks import cut_chunks
from shared.jobs.cut import SINGLE, ChunkSizes
from shared.jobs.results import NewResult, store_results
from shared.limits.quotas import UNLIMITED, Quotas, TenantLock, lock_for_tiles
from shared.metrics.definitions import EXPORTS_ENDED, IMAGES
from shared.settings import Settings

BATCH = 200
# The endpoint of a `webhook_url` is made just before its job.
NEW_ENDPOINT = timedelta(hours=1)
EXPORT_LOST = "the worker that made it was lost every time; ask for it again, and tell the operator if it is lost again"

CLOSE = text("UPDATE chunks SET state = 'done', done_at = now() WHERE job_id = :job AND no = :no")


@dataclass(frozen=True, slots=True)
class Swept:
    """Counts of what a sweep did."""

    leases: int = 0
    jobs: int = 0
    drafts: int = 0
    keys: int = 0
    endpoints: int = 0
    programs: int = 0
    exports: int = 0
    explanations: int = 0

    @property
    def changed(self) -> bool:
        """True where there was anything to do."""
        return any(astuple(self))


@dataclass(frozen=True, slots=True)
class CrashPolicy:
    """The lost attempts after which a chunk is split into isolated images, and an image or an export fails."""

    isolate_after: int
    fail_after: int
    fail_export_after: int = 3
    keep_export_hours: float = 72.0
    # Of the chunks that are cut when an inspection is given up, and the quotas that they meet.
    sizes: ChunkSizes = SINGLE
    quotas: Quotas = UNLIMITED

    @classmethod
    def of(cls, settings: Settings) -> "CrashPolicy":
        """Read it from the settings."""
        return cls(
            isolate_after=settings.isolate_after_attempts,
            fail_after=settings.fail_after_attempts,
            fail_export_after=settings.export_attempts,
            keep_export_hours=settings.export_hours,
            sizes=ChunkSizes.of(settings),
            quotas=Quotas.of(settings),
        )


def sweep(database: Database, policy: CrashPolicy) -> Swept:
    """Take back leases that ran out, end jobs without open chunks, expire drafts, forget what nobody needs any more.

    Exports without a chunk get one.

    That is: old idempotency keys, the endpoints of ``webhook_url``s that no job names any more, killed programs, and
    explanations of tiles.
    """
    return Swept(
        leases=_take_back_leases(database, policy),
        jobs=_finish_jobs(database),
        drafts=database.run(lambda session: lifecycle.expire_drafts(session, limit=BATCH)),
        keys=_forget_keys(database),
        endpoints=_forget_endpoints(database),
        programs=database.run(programs.forget),
        exports=_adopt_exports(database),
        explanations=database.run(explanations.forget),
    )


def _take_back_leases(database: Database, policy: CrashPolicy) -> int:
    with database.begin() as session:
        lost = session.execute(
            text(
                "SELECT job_id, no, lease_token FROM chunks WHERE state = 'running' AND lease_until < now() "
                "ORDER BY lease_until LIMIT :limit"
            ),
            {"limit": BATCH},
        ).all()
    return sum(take_back(database, row.job_id, row.no, row.lease_token, policy) for row in lost)


def take_back(  # a chunk, and why
    database: Database,
    job_id: uuid.UUID,
    no: int,
    token: int,
    policy: CrashPolicy,
    *,
    early: bool = False,
    lifeline: int | None = None,
) -> bool:
    """Take one chunk back, if its lease is still the one that ran out.

    ``early``: also before it did; ``lifeline``: also before it did, if the chunk still names this one, which ended.
    """
    with database.begin() as session:
        quota = _lock_for_tiles(session, job_id, no, policy)
        try:
            job = lifecycle.lock_job(session, job_id)
        except NotFound:
            return False
        back = session.execute(
            text(
                "UPDATE chunks SET state = 'ready', lease_token = NULL, lease_until = NULL, not_before = now() "
                "WHERE job_id = :job AND no = :no AND lease_token = :token AND state = 'running' "
                "AND (lease_until < now() OR :early OR (lifeline = :lifeline AND lifeline_of = lease_token)) "
                "RETURNING no"
            ),
            {"job": job_id, "no": no, "token": token, "early": early, "lifeline": lifeline},
        ).one_or_none()
        if back is None:
            return False
        chunk = session.get_one(Chunk, (job_id, no), populate_existing=True)
        if chunk.kind == ChunkKind.EXPORT:
            _take_back_export(session, job, chunk, policy)
        elif job.state == JobState.CANCELING:
            lifecycle.close_ready_chunks(session, job)
            lifecycle.finish_if_done(session, job)
        elif chunk.kind == ChunkKind.CLASSIFY:
            _contain_crash(session, job, chunk, policy)
        elif chunk.kind == ChunkKind.INSPECT and chunk.attempt >= policy.fail_after:
            inspections.give_up(session, job, chunk)
            _close(session, job, chunk, [])
            inspections.conclude(session, job, sizes=policy.sizes, quota=quota)
        elif chunk.kind == ChunkKind.EXPLAIN and chunk.attempt >= policy.fail_after:
            explanations.give_up(session, chunk)
            _close(session, job, chunk, [])
            lifecycle.finish_if_done(session, job)
        elif chunk.kind == ChunkKind.VALIDATE and chunk.attempt >= policy.fail_after:
            _close(session, job, chunk, [])
            lifecycle.fail(
                session, job, code="validation_failed", detail="validation was lost too often; create the job again"
            )
    return True


def _lock_for_tiles(session: Session, job_id: uuid.UUID, no: int, policy: CrashPolicy) -> TenantLock | None:
    """Lock the quotas of the tenant before its job, where the last inspection of a job may end here."""
    chunk = session.get(Chunk, (job_id, no))
    if chunk is None or chunk.kind != ChunkKind.INSPECT:
        return None
    return lock_for_tiles(session, chunk.tenant_id, policy.quotas)


def _take_back_export(session: Session, job: Job, chunk: Chunk, policy: CrashPolicy) -> None:
    """Queue the export again, or fail it after its last attempt. The job has no part in it."""
    if chunk.export_id is None or job.deleted_at is not None:
        session.delete(chunk)
    elif chunk.attempt < policy.fail_export_after:
        exports.queue_again(session, chunk.export_id, attempt=chunk.attempt)
    else:
        keep = policy.keep_export_hours
        code = ExportErrorCode.WORKER_CRASHED
        name = exports.end_as_failed(session, chunk.export_id, code, EXPORT_LOST, keep_hours=keep)
        session.execute(CLOSE, {"job": chunk.job_id, "no": chunk.no})
        if name is not None:
            EXPORTS_ENDED.labels(name, ExportOutcome.GIVEN_UP).inc()


def _contain_crash(session: Session, job: Job, chunk: Chunk, policy: CrashPolicy) -> None:
    """Find the image that ends its worker: split the chunk into single, isolated images; fail the one that goes on."""
    if chunk.attempt >= policy.fail_after and chunk.first_seq == chunk.last_seq:
        crashed = NewResult(
            seq=chunk.first_seq,
            status=ImageStatus.FAILED,
            error_code=ImageErrorCode.WORKER_CRASHED,
            error_detail=f"the worker ended while it worked on this image, {chunk.attempt} times",
        )
        _close(session, job, chunk, [crashed])
        IMAGES.labels(crashed.status, ImageErrorCode.WORKER_CRASHED).inc()
        lifecycle.finish_if_done(session, job)
    elif chunk.attempt >= policy.isolate_after and not (chunk.isolated and chunk.first_seq == chunk.last_seq):
        cut_chunks(
            session,
            job,
            pool=chunk.pool,
            sizes=SINGLE,
            first_seq=chunk.first_seq,
            last_seq=chunk.last_seq,
            attempt=chunk.attempt,
            isolated=True,
        )
        _close(session, job, chunk, [])
        lifecycle.finish_if_done(session, job)


def _close(session: Session, job: Job, chunk: Chunk, results: list[NewResult]) -> None:
    session.execute(CLOSE, {"job": chunk.job_id, "no": chunk.no})
    store_results(session, job, results, closed_chunks=1)


def _finish_jobs(database: Database) -> int:
    """End jobs that have no open chunk. Whoever closes the last chunk does it; here are those that nobody ended."""
    with database.begin() as session:
        ids = session.scalars(
            text("SELECT id FROM jobs WHERE state IN ('queued', 'running', 'canceling') AND open_chunks = 0 LIMIT :n"),
            {"n": BATCH},
        ).all()
    ended = 0
    for job_id in ids:
        with database.begin() as session:
            ended += lifecycle.finish_if_done(session, lifecycle.lock_job(session, job_id))
    return ended


def _adopt_exports(database: Database) -> int:
    """Give a chunk to exports that have none, as those that an API of the version before added."""
    with database.begin() as session:
        ids = exports.without_chunk(session, limit=BATCH)
    adopted = 0
    for export_id in ids:
        with database.begin() as session:
            adopted += exports.adopt(session, export_id)
    return adopted


def _forget_keys(database: Database) -> int:
    with database.begin() as session:
        gone = session.execute(text("DELETE FROM idempotency_keys WHERE expires_at < now() RETURNING 1")).all()
    return len(gone)


def _forget_endpoints(database: Database) -> int:
    """Forget endpoints of jobs that are gone. Two statements: the second sees jobs that were made before the lock."""
    unused = (
        "per_job AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.webhook_endpoint_id = webhook_endpoints.id "
        "AND jobs.webhook_endpoint_id IS NOT NULL)"
    )
    with database.begin() as session:
        ids = session.scalars(
            text(
                f"SELECT id FROM webhook_endpoints WHERE {unused} AND created_at < now() - :age "  # noqa: S608  # above
                "ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
            ),
            {"age": NEW_ENDPOINT, "limit": BATCH},
        ).all()
        if not ids:
            return 0
        gone = session.execute(
            text(f"DELETE FROM webhook_endpoints WHERE id = ANY(:ids) AND {unused} RETURNING 1"),  # noqa: S608  # above
            {"ids": ids},
        ).all()
    return len(gone)
