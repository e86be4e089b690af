"""The run of one claimed chunk: runners by kind, and the one table of exceptions and outcomes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy.orm import Session

from shared.contracts.states import ChunkKind
from shared.errors import DatabaseUnavailable, LeaseLost, StoreUnavailable
from shared.exports import claimed
from shared.exports.claimed import MadeElsewhere
from shared.jobs import claims
from shared.jobs.claims import Claim
from shared.jobs.results import NewResult
from shared.tracing import Attributes, failed, span
from worker.context import Context
from worker.jobs.classify import classify
from worker.jobs.explain import explain
from worker.jobs.export import export
from worker.jobs.inspect import inspect
from worker.jobs.purge import purge
from worker.jobs.validate import validate
from worker.leasing.leases import Lease
from worker.leasing.outcome import (
    CancelRequested,
    ChunkOutcome,
    ExportOutdated,
    NotRepresentable,
    SourceRejected,
    StopRequested,
    TurnOver,
)
from worker.metrics import count_results

log = structlog.get_logger()

# The pause of a tenant's chunks of a pool after a turn.
TURN_PAUSE_SECONDS = 5.0

RUNNERS: Mapping[ChunkKind, Callable[[Context, Lease], ChunkOutcome]] = {
    ChunkKind.VALIDATE: validate,
    ChunkKind.INSPECT: inspect,
    ChunkKind.CLASSIFY: classify,
    ChunkKind.PURGE: purge,
    ChunkKind.EXPORT: export,
    ChunkKind.EXPLAIN: explain,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A chunk whose runner raised."""

    context: Context
    claim: Claim
    done: Sequence[NewResult]
    error: Exception

    @property
    def reason(self) -> str:
        """The sentence of the error."""
        return str(self.error)

    @property
    def code(self) -> str | None:
        """The code of a source that was rejected."""
        return self.error.code if isinstance(self.error, SourceRejected) else None


def _close(session: Session, ended: Ended) -> Sequence[NewResult]:
    return claims.finish(session, ended.claim, ended.done)


def _release(session: Session, ended: Ended) -> Sequence[NewResult]:
    return claims.release(session, ended.claim, ended.done)


def _release_after_outage(session: Session, ended: Ended) -> Sequence[NewResult]:
    pause = ended.context.settings.release_backoff_seconds
    return claims.release(session, ended.claim, ended.done, pause_seconds=pause)


def _yield_turn(session: Session, ended: Ended) -> Sequence[NewResult]:
    return claims.yield_turn(session, ended.claim, ended.done, pause_seconds=TURN_PAUSE_SECONDS)


def _fail_job(session: Session, ended: Ended) -> Sequence[NewResult]:
    claims.fail_job(session, ended.claim, code=ended.code or "", detail=ended.reason)
    return ()


def _fail_export(session: Session, ended: Ended) -> Sequence[NewResult]:
    claimed.fail(session, ended.claim, ended.reason, keep_hours=ended.context.settings.export_hours)
    return ()


def _abandon(session: Session, ended: Ended) -> Sequence[NewResult]:
    claims.abandon(session, ended.claim)
    return ()


@dataclass(frozen=True, slots=True)
class Ending:
    """One row of the table.

    ``write`` stores it, in a transaction that is harmless to repeat; ``None``: the chunk is another worker's. ``log``
    writes a line about it. ``patient``: wait a whole lease for PostgreSQL, since these results are not computed again.
    """

    outcome: ChunkOutcome
    write: Callable[[Session, Ended], Sequence[NewResult]] | None
    log: Callable[[Ended], object] = lambda _: None
    patient: bool = False


def _warn(event: str) -> Callable[[Ended], None]:
    def warn(ended: Ended) -> None:
        log.warning(event, reason=ended.reason, attempt=ended.claim.attempt, finished=len(ended.done))
        failed(ended.reason)

    return warn


def _inform(event: str) -> Callable[[Ended], None]:
    return lambda ended: log.info(event, finished=len(ended.done))


def _log_fault(ended: Ended) -> None:
    log.error("chunk_fault", attempt=ended.claim.attempt, exc_info=ended.error)
    failed("fault")


FAULT = Ending(ChunkOutcome.FAULT, _abandon, _log_fault)
OUTAGE = Ending(ChunkOutcome.HANDED_BACK, _release_after_outage, _warn("chunk_handed_back"))
ENDINGS: Mapping[type[Exception], Ending] = {
    LeaseLost: Ending(ChunkOutcome.LEASE_LOST, None, _warn("lease_lost")),
    CancelRequested: Ending(ChunkOutcome.CANCELED, _close, _inform("chunk_canceled"), patient=True),
    StopRequested: Ending(ChunkOutcome.HANDED_BACK, _release),
    TurnOver: Ending(ChunkOutcome.HANDED_BACK, _yield_turn, _inform("chunk_turn_over")),
    SourceRejected: Ending(ChunkOutcome.FINISHED, _fail_job, lambda ended: log.info("job_rejected", code=ended.code)),
    NotRepresentable: Ending(ChunkOutcome.FINISHED, _fail_export, _warn("export_failed")),
    ExportOutdated: Ending(ChunkOutcome.OUTDATED, _abandon, _warn("export_outdated")),
    MadeElsewhere: Ending(ChunkOutcome.HANDED_BACK, _release_after_outage, _inform("export_made_elsewhere")),
    StoreUnavailable: OUTAGE,
    DatabaseUnavailable: OUTAGE,
}


def run_chunk(context: Context, lease: Lease) -> ChunkOutcome:
    """Run a chunk, and close it, hand it back, or leave it to its lease, whatever happens."""
    try:
        return RUNNERS[lease.claim.kind](context, lease)
    except Exception as error:  # noqa: BLE001  # the table has an ending for each
        return _end(Ended(context, lease.claim, lease.done, error))


def _end(ended: Ended) -> ChunkOutcome:
    ending = next((row for kind, row in ENDINGS.items() if isinstance(ended.error, kind)), FAULT)
    ending.log(ended)
    if ending.write is None:
        return ending.outcome
    write, settings = ending.write, ended.context.settings
    patience = {"patience_seconds": settings.lease_seconds} if ending.patient else {}
    try:
        count_results(ended.context.database.run(lambda session: write(session, ended), **patience))
    except DatabaseUnavailable:
        log.warning("chunk_left_to_its_lease")
    except Exception as error:
        if ending is FAULT:
            raise
        return _end(replace(ended, error=error))
    return ending.outcome


@contextmanager
def chunk_context(claim: Claim, *, worker: str) -> Iterator[None]:
    """Add job, chunk, tenant and request id to every log line within, and to the span."""
    ids: Attributes = {
        "job_id": str(claim.job_id),
        "chunk": claim.no,
        "kind": claim.kind.value,
        "tenant_id": str(claim.tenant_id),
    }
    if claim.export_id is not None:
        ids = {**ids, "export_id": str(claim.export_id)}
    numbers: Attributes = {"attempt": claim.attempt, "first_seq": claim.first_seq, "last_seq": claim.last_seq}
    with (
        structlog.contextvars.bound_contextvars(**ids, request_id=claim.origin.request_id),
        span(
            f"chunk {claim.kind.value}",
            parent=claim.origin.traceparent,
            kind=SpanKind.CONSUMER,
            attributes={f"phytobatch.{name}": value for name, value in {**ids, **numbers, "worker": worker}.items()},
        ),
    ):
        yield
